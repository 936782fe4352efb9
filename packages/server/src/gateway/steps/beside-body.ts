// Owns what a call says beside its body and is passed on: a path nobody knows, the query, headers; as texts to classify.

import type { Part } from '@countersign/core/dialects/request-types';
import { isEncoded } from '@countersign/core/dialects/unread-media';
import { AppError } from '@countersign/core/errors';
import { isPassedHeader } from '../../upstreams/providers/request-headers.ts';
import type { InboundCall } from '../call.ts';

/** What clients of all kinds say of themselves, and no text can stand in. */
const fixedValues: ReadonlySet<string> = new Set([
  ...['*/*', 'application/json', 'text/event-stream', '*', 'true', 'false', '2023-06-01', 'cli', 'stream'],
  ...['js', 'python', 'go', 'java', 'node', 'CPython', 'MacOS', 'Linux', 'Windows', 'arm64', 'x64'],
]);
/** A count, a time-out or a version. */
const shortNumber = /^v?\d{1,4}(?:\.\d{1,4}){0,2}$/;
const longestShort = 15;

/** Names of this length and more could hold something themselves; these are the SDKs' own. */
const firstLong = 20;
const longNames: ReadonlySet<string> = new Set([
  'anthropic-dangerous-direct-browser-access',
  'x-stainless-helper-method',
  'x-stainless-package-version',
  'x-stainless-read-timeout',
  'x-stainless-retry-count',
  'x-stainless-runtime-version',
]);

/** True for what the SDKs send with every call. It costs less to know it than to read it. */
function saysNothing(name: string, value: string): boolean {
  if (name.length >= firstLong && !longNames.has(name)) return false;
  return fixedValues.has(value) || (value.length <= longestShort && shortNumber.test(value));
}

/** Headers that pass, a line each, name and value: both are the client's own words where only a name's beginning is known. */
function headerLines(flat: readonly string[]): string {
  let lines = '';
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const value = flat[at + 1] ?? '';
    const name = flat[at] ?? '';
    const lower = name.toLowerCase();
    if (isPassedHeader(lower) && !saysNothing(lower, value)) lines += `${name}: ${value}\n`;
  }
  return lines;
}

const encodedBytes = /(?:%[0-9a-f]{2})+/gi;

/** A percent-encoded text as it reads. What is no UTF-8 in one place hides no other. */
function decoded(text: string): string {
  return text.replace(encodedBytes, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}

function queryLines(query: string): string {
  if (query === '') return '';
  return decoded(query.slice(1).replaceAll('+', ' ').replaceAll(/[&;]/g, '\n'));
}

/** Texts that no string of the body holds: what policy asks to be cut from them cannot be, and refuses the call. */
export function besideBody(call: InboundCall): readonly Part[] {
  const { endpoint, query, rawHeaders } = call;
  const path = endpoint.id === 'passthrough' ? decoded(endpoint.providerPath) : '';
  const parts: Part[] = [];
  const queried = queryLines(query);
  for (const text of [headerLines(rawHeaders), queried, path]) {
    if (text === '') continue;
    // Of an endpoint that is not known, the query may hold what elsewhere stands in a body.
    const isControl = text !== queried || endpoint.id !== 'passthrough';
    parts.push({ kind: 'text', role: 'user', text, path: [], structured: false, isControl });
    const holdsData = text.length >= 1024 && text.split(/[\s=:,]+/).some(isEncoded);
    if (holdsData || text.includes(';base64,'))
      parts.push({ kind: 'opaque', role: 'user', reason: 'unknown_type', path: [] });
  }
  return parts;
}

const usualType = 'application/json';
const jsonInUtf8 = /^\s*application\/json\s*(?:;\s*(?:charset\s*=\s*"?utf-?8"?\s*)?)?$/i;
/** Of a type other than a form's, whose reader takes no further parameter. */
const charset = /^(?!\s*multipart\/).*\bcharset\s*=\s*"?([^\s;"]*)/i;

/** Refuses a body whose type says that it is not what we read: another reader would go by it. */
export function checkBodyType(call: InboundCall, body: Uint8Array): void {
  const type = call.header('content-type');
  if (type === undefined || body.length === 0) return;
  if (call.endpoint.id !== 'passthrough') {
    if (type !== usualType && !jsonInUtf8.test(type))
      throw new AppError('unsupported_media_type', 'send the body as `application/json`, in UTF-8');
    return;
  }
  const named = charset.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
  if (named !== 'utf-8' && named !== 'utf8' && named !== 'us-ascii')
    throw new AppError('unsupported_media_type', 'send the body in UTF-8');
}
