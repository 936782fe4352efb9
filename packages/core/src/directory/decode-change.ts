// Owns the reading of a change from an untrusted source: an entry of an export, a row of a table.

import { z } from 'zod';
import { AppError } from '../errors.ts';
import { type Change, objectSchemas } from './objects.ts';

function one<K extends string, S extends z.ZodType>(kind: K, state: S) {
  return z.object({ kind: z.literal(kind), id: z.string().min(1), state: z.nullable(state) });
}

const changeSchema = z.discriminatedUnion('kind', [
  one('organization', objectSchemas.organization),
  one('workspace', objectSchemas.workspace),
  one('team', objectSchemas.team),
  one('user', objectSchemas.user),
  one('service', objectSchemas.service),
  one('agent', objectSchemas.agent),
  one('membership', objectSchemas.membership),
  one('roleAssignment', objectSchemas.roleAssignment),
  one('key', objectSchemas.key),
  one('tokenIssuer', objectSchemas.tokenIssuer),
  one('provider', objectSchemas.provider),
  one('model', objectSchemas.model),
  one('budget', objectSchemas.budget),
  one('rateLimit', objectSchemas.rateLimit),
  one('classifier', objectSchemas.classifier),
  one('policy', objectSchemas.policy),
]);

/** A change from its JSON form. Throws `invalid_request` naming the first path that does not fit. */
export function decodeChange(value: unknown): Change {
  const parsed = changeSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new AppError(
    'invalid_request',
    `the change does not fit its schema at \`${issue?.path.join('.') ?? ''}\`: ${issue?.message ?? 'unknown'}`,
  );
}
