// Owns what a body that is passed through must be, and what its form names: models, and things that a provider keeps.

import { keptInPairs } from '@countersign/core/dialects/kept-ids';
import { isModelKey } from '@countersign/core/dialects/named-in';
import { isName } from '@countersign/core/dialects/request-builder';
import type { InferenceRequest } from '@countersign/core/dialects/request-types';
import { AppError } from '@countersign/core/errors';
import type { InboundCall } from '../call.ts';
import { formFields } from './form-fields.ts';

/** Methods whose body says nothing (RFC 9110 section 9.3.1): what it names would be decided on and not be sent. */
const bodiless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE']);
const jsonType = /^\s*application\/(?:[a-z0-9.+-]+\+)?json\b/i;
const opensJson = /^[ \t\r\n]*[{[]/;

function refuse(message: string): never {
  throw new AppError('invalid_request', message);
}

/** Refuses what we and a provider may read differently. */
function checkReading(call: InboundCall, body: Uint8Array, contentType: string): void {
  if (bodiless.has(call.method)) refuse(`a ${call.method} has no body here: leave it out`);
  const hasMark = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, 64)).toString('latin1');
  if (hasMark || (jsonType.test(contentType) && !opensJson.test(start)))
    refuse(
      'JSON must be an object or a list in UTF-8, without a byte order mark and with little space before it',
    );
}

/**
 * What was read of a body that is passed through, with what its form names. Throws `invalid_request` for a body that
 * could be read in two ways.
 */
export function readPassedBody(
  call: InboundCall,
  body: Uint8Array,
  parsed: InferenceRequest,
): InferenceRequest {
  if (body.length === 0) return parsed;
  const contentType = call.header('content-type') ?? '';
  checkReading(call, body, contentType);
  const fields = formFields(body, contentType);
  if (fields.length === 0) return parsed;
  const models = fields.flatMap(([name, value]) => (isModelKey(name) ? [value] : []));
  const wrong = models.find((model) => !isName(model));
  if (wrong !== undefined) refuse('`model` in the form must be the name of a model');
  const { providerState } = parsed;
  return {
    ...parsed,
    otherModels: [...new Set([...parsed.otherModels, ...models])].sort(),
    providerState: { ...providerState, references: [...providerState.references, ...keptInPairs(fields)] },
  };
}
