// Owns entity keys and views: how an entity is named in ancestor sets and indexes.

import type { Attributes, EntityRef, EntityView } from './types.ts';

/** The key of an entity in ancestor sets: `Type::"id"`, unescaped; unambiguous because a type has no quotes. */
export function uidKey(type: string, id: string): string {
  return `${type}::"${id}"`;
}

/** A reference to an entity as an attribute's value, in Cedar's JSON form. */
export function entityRef(type: string, id: string): EntityRef {
  return { __entity: { type, id } };
}

/**
 * A principal or a resource, ready for any number of decisions. `ancestors` are keys from `uidKey`, all of
 * them (the transitive closure), without the entity itself. Made when a snapshot is made, not per request.
 */
export function entityView(
  type: string,
  id: string,
  ancestors: Iterable<string>,
  attributes: Attributes,
): EntityView {
  return { type, id, uid: uidKey(type, id), ancestors: new Set(ancestors), attributes };
}
