// Owns which models a request's query names: it goes to the provider as it came, and some read it before the body.

import { isModelKey } from '@countersign/core/dialects/named-in';
import { isName } from '@countersign/core/dialects/request-builder';
import { AppError } from '@countersign/core/errors';

/**
 * The values of `?model=` and of all parameters that are called like it. LiteLLM takes the query's model instead
 * of the body's. Throws `invalid_request` for a value that is no name.
 */
export function modelsInQuery(query: string): readonly string[] {
  if (query === '') return [];
  const models: string[] = [];
  for (const [key, value] of new URLSearchParams(query)) {
    if (!isModelKey(key)) continue;
    for (const name of value.split(',')) {
      if (!isName(name))
        throw new AppError('invalid_request', `\`${key}\` in the query names no model: leave it out`);
      models.push(name);
    }
  }
  return models;
}
