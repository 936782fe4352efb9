// Owns how OCSF names the five kinds of those who act.

import { actorKinds } from '../entry-fields.ts';

type ActorKind = (typeof actorKinds)[number];

/** `user.type_id`: 1 user, 3 system, 4 service, 0 unknown, 99 other, which `type` names. */
const typeIds: { readonly [K in ActorKind]: number } = {
  user: 1,
  service: 4,
  agent: 99,
  anonymous: 0,
  system: 3,
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
  return { uid: id, type: kind, type_id: isActorKind(kind) ? typeIds[kind] : 99 };
}
