// Owns what a request's query says: it goes to the provider as it came, and some read it before body and headers.

import { isModelKey } from '@countersign/core/dialects/named-in';
import { fold, isName } from '@countersign/core/dialects/request-builder';
import { AppError } from '@countersign/core/errors';

/** Parameters under which servers take credentials. */
const credentialKey =
  /^(?:x?(?:goog)?apikey|key|(?:access|auth|bearer|id|session)?token|authorization|auth|subscriptionkey)$/;
/** A virtual key, or a compact JWT (RFC 7519). */
const credentialForm = /^(?:csk_|(?:bearer\s+)?(?:csk_|eyJ[\w-]+\.[\w-]+\.))/i;

/**
 * The models of `?model=` and of all parameters that are called like it; LiteLLM takes the query's model instead of the
 * body's. Throws `invalid_request` for a value that is no name, and for a credential: it would be the client's own, in
 * the provider's hands and in every log on the way.
 */
export function readQuery(query: string): readonly string[] {
  if (query === '') return [];
  const models: string[] = [];
  for (const [key, value] of new URLSearchParams(query)) {
    const name = fold(key).replaceAll(/[_-]/g, '');
    if (credentialForm.test(value) || (credentialKey.test(name) && value !== ''))
      throw new AppError(
        'invalid_request',
        'a credential has no place in the query: send it in a header alone',
      );
    if (!isModelKey(key)) continue;
    for (const model of value.split(',')) {
      if (!isName(model))
        throw new AppError('invalid_request', `\`${key}\` in the query names no model: leave it out`);
      models.push(model);
    }
  }
  return models;
}
