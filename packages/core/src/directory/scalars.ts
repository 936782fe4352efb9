// Owns the small schemas that recorded states are made of: ids, names, money, scopes.

import { z } from 'zod';
import { type Id, type IdKind, isId, isPrincipalId, type PrincipalId } from '../ids.ts';

/** A zod schema for one kind of id. */
export function idOf<K extends IdKind>(kind: K) {
  return z.custom<Id<K>>((v) => typeof v === 'string' && isId(kind, v), {
    message: `must be a ${kind} id`,
  });
}

/** A zod schema for the id of a user, a service or an agent. */
export const principalId = z.custom<PrincipalId>((v) => typeof v === 'string' && isPrincipalId(v), {
  message: 'must be the id of a user, a service or an agent',
});

/** Milliseconds since 1970-01-01 UTC. */
export const instant = z.number().int().nonnegative();
/** A name of our own making: shown to people, unique in its organization, never personal data. */
export const objectName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, {
  message: 'must be 1 to 63 of a-z 0-9 . _ - and start with a letter or digit',
});
/** A model's name as clients send it. */
export const modelName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$/, {
  message: 'must be 1 to 128 of letters, digits and . _ : / @ + - and start with a letter or digit',
});
export const costCentre = z.string().min(1).max(64);
export const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);
/** Money in nano-units of the organization's currency: integers up to 2^53 - 1. */
export const nanos = z.number().int().nonnegative();
export const status = z.enum(['active', 'suspended']);

export const contentModes = ['none', 'commitment', 'sealed'] as const;
export const contentMode = z.enum(contentModes);
/** Whether callers' addresses and user agents are kept, sealed. */
export const clientMode = z.enum(['none', 'sealed']);
export type ContentMode = z.infer<typeof contentMode>;

/**
 * Prices in pico-units (10^-12 of the currency) per token, so that the cheapest price on the market is a
 * whole number. Buckets are disjoint: a cached token is not an input token.
 */
export const price = z.object({
  input: nanos,
  output: nanos,
  cachedInput: nanos.optional(),
  cacheWrite: nanos.optional(),
  reasoning: nanos.optional(),
  audioInput: nanos.optional(),
  audioOutput: nanos.optional(),
  /** Parts of a thousand by the service tier that an answer names: 500 is half. */
  serviceTiers: z.record(z.string().min(1).max(64), z.number().int().min(0).max(100_000)).optional(),
});
export type Price = z.infer<typeof price>;

/** What a budget or a rate limit counts. */
export const meterScope = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('organization') }),
  z.object({ kind: z.literal('person'), id: principalId }),
  z.object({ kind: z.literal('key'), id: idOf('key') }),
  z.object({ kind: z.literal('team'), id: idOf('team') }),
  z.object({ kind: z.literal('workspace'), id: idOf('workspace') }),
  z.object({ kind: z.literal('cost_centre'), id: costCentre }),
  z.object({ kind: z.literal('model'), id: idOf('model') }),
]);
export type MeterScope = z.infer<typeof meterScope>;
