// Owns how OCSF names the five kinds of those who act.

import { actorKinds } from '../entry-fields.ts';

type ActorKind = (typeof actorKinds)[number];

/** `user.type_id` and its word in the schema. 99 is what the schema has no number for: `type` has our word then. */
const types: { readonly [K in ActorKind]: readonly [id: number, word: string] } = {
  user: [1, 'User'],
  service: [4, 'Service'],
  agent: [99, 'agent'],
  anonymous: [0, 'Unknown'],
  system: [3, 'System'],
};

function isActorKind(kind: string): kind is ActorKind {
  return actorKinds.some((one) => one === kind);
}

/** True for a kind of object that is an account here: a person, a service, an agent. */
export function isAccount(kind: string): kind is 'user' | 'service' | 'agent' {
  return kind === 'user' || kind === 'service' || kind === 'agent';
}

/** A `user` by pseudonym alone. */
export function userOf(id: string, kind: string): object {
  const [typeId, type] = isActorKind(kind) ? types[kind] : [99, kind];
  return { uid: id, type, type_id: typeId };
}
