// Owns the making of a registry: what is bound, by the id of its operation, each exactly once.

import type { Operation } from '@countersign/contract/operation';
import { AppError } from '@countersign/core/errors';

/** What is bound, by operation. Throws if an operation is bound twice: the later one would win in silence. */
export function registryOf<B extends { readonly operation: Operation }>(
  bound: readonly B[],
): ReadonlyMap<string, B> {
  const registry = new Map(bound.map((one): [string, B] => [one.operation.id, one]));
  if (registry.size !== bound.length) {
    const twice = bound.find((one) => registry.get(one.operation.id) !== one);
    throw new AppError('internal', `\`${twice?.operation.id}\` is bound twice: bind it once`);
  }
  return registry;
}
