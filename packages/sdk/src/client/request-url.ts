// Owns the address of a call: path parameters filled in, query written, nothing that could lead elsewhere.

import { type Operation, pathParameters } from '@countersign/contract/operation';
import { AppError } from '@countersign/core/errors';

type Scalars = { readonly [name: string]: unknown };

function segment(text: string): string {
  // A dot segment would be resolved away and make this another operation.
  if (text === '' || text === '.' || text === '..') {
    throw new AppError('invalid_request', `\`${text}\` cannot be part of a path, give an id`);
  }
  return encodeURIComponent(text);
}

/** A parameter called `path` may span segments, as the path of a ledger's tile does; any other is one segment. */
function parameter(name: string, value: unknown): string {
  const text = typeof value === 'string' ? value : '';
  return name === 'path' ? text.split('/').map(segment).join('/') : segment(text);
}

function queryText(query: Scalars): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean')
        pairs.append(name, String(one));
    }
  }
  return pairs.size === 0 ? '' : `?${pairs}`;
}

/** The URL of an operation below `baseUrl`. Throws `invalid_request` for a parameter that is no path segment. */
export function requestUrl(baseUrl: string, operation: Operation, params: Scalars, query: Scalars): string {
  let path = operation.path;
  for (const name of pathParameters(operation.path)) {
    path = path.replace(`{${name}}`, () => parameter(name, params[name]));
  }
  return `${baseUrl}/api/v1${path}${queryText(query)}`;
}
