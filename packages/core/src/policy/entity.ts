// Owns entity keys and views: how an entity is named in ancestor sets and indexes.

import type { Attributes, EntityRef, EntityView } from './types.ts';

/** The key of an entity in ancestor sets: `Type::"id"`, unescaped; unambiguous because a type has no quotes. */
export function uidKey(type: string, id: string): string {
  return `${type}::"${id}"`;
}

/**
 * The key as the engine's one shared copy of its text: a property's name is always that copy, and lookups
 * compare shared copies by address instead of letter by letter. Worth it for keys that are kept.
 */
export function sharedKey(key: string): string {
  for (const shared of Object.keys({ [key]: true })) return shared;
  return key;
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
  const shared = new Set<string>();
  for (const key of ancestors) shared.add(sharedKey(key));
  return { type, id, uid: sharedKey(uidKey(type, id)), ancestors: shared, attributes };
}
