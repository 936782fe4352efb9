// Owns the step from a credential to who acts, against the organization as it is now.

import type { Directory } from '@countersign/core/directory/directory';
import { AppError } from '@countersign/core/errors';
import type { ActorChain, ResolveRefusal } from '@countersign/core/identity/actor';
import { type KeyMemory, resolveActor, type StandingOf } from '@countersign/core/identity/resolve';
import type { OrgId } from '@countersign/core/ids';
import { type Fragment, fragment } from '@countersign/core/ledger/canonical';
import { listedTeams } from '@countersign/core/ledger/listed-rules';
import { type Authenticated, type CallerDeps, type Refused, refuseCredential } from './authenticate.ts';

/** The part of an organization in memory that resolving reads. */
export type CallerSnapshot = {
  readonly orgId: OrgId;
  readonly directory: Directory;
  readonly version: () => number;
  readonly standing: StandingOf;
  readonly keyMemory: KeyMemory;
};

/** What is kept of an actor's entries beside the very chain that it was made of. */
export type KeptActor = { rendered: Fragment | undefined };

export type ResolvedActor = {
  readonly actor: ActorChain;
  /** The version that this, and everything decided from it, belongs to. */
  readonly version: number;
};

/** What whoever has a good credential may hear of why it is not enough; undefined where it tells of what is not theirs. */
function toldOf(reason: ResolveRefusal, use: 'models' | 'management'): string | undefined {
  switch (reason) {
    case 'wrong_use':
      return `this credential is for another use: send ${use === 'models' ? 'a models key' : 'a management key'}`;
    case 'key_needs_user':
      return 'this key acts for people only: send the token of one in `x-countersign-user` beside it';
    case 'application_mismatch':
      return "the token in `x-countersign-user` was given for another application (`azp`) than this key's";
    case 'not_an_application_key':
      return 'a token in `x-countersign-user` goes beside the key of an application: send one of the two alone';
    default:
      return undefined;
  }
}

/** Who acts. Throws `authentication_failed` when the credential does not live in this version. */
export function resolve(
  deps: { readonly noteRefused: CallerDeps<unknown>['noteRefused']; readonly now: () => number },
  call: Refused,
  { snapshot, credential }: Authenticated<CallerSnapshot>,
  use: 'models' | 'management',
): ResolvedActor {
  const { directory, standing, keyMemory } = snapshot;
  const resolution = resolveActor(directory, credential, use, deps.now(), standing, keyMemory);
  if (!resolution.ok) {
    const told = toldOf(resolution.reason, use);
    if (told === undefined) throw refuseCredential(deps, call, resolution.reason);
    deps.noteRefused(call, resolution.reason);
    throw new AppError('authentication_failed', told);
  }
  return { actor: resolution.actor, version: snapshot.version() };
}

type EntryAct = { readonly id: string; readonly kind: 'agent' | 'service' };

/** The `actor` member of an entry, from authentication alone. */
export function entryActor(snapshot: CallerSnapshot, actor: ActorChain, nowMs: number) {
  const { standing, token } = actor;
  const agents: readonly EntryAct[] = actor.agents.map((id) => ({ id, kind: 'agent' }));
  const application: readonly EntryAct[] =
    actor.application === undefined || actor.kind === 'service'
      ? []
      : [{ id: actor.application, kind: 'service' }];
  const act = [...agents, ...application];
  const authAge =
    token?.authTime === undefined ? undefined : Math.max(0, Math.floor(nowMs / 1000) - token.authTime);
  return {
    id: actor.principalId,
    kind: actor.kind,
    org: snapshot.orgId,
    ws: standing.workspaceId,
    teams: [...standing.teams],
    roles: [...standing.roles],
    ...(act.length === 0 ? {} : { act }),
    ...(token === undefined ? {} : { iss: token.issuerId, amr: [...token.amr] }),
    ...(authAge === undefined ? {} : { auth_age: authAge }),
    proof: actor.proof,
    ...(actor.keyId === undefined ? {} : { cred: actor.keyId }),
  };
}

/** The rendered actor of an entry, which both entries of a call have; that of a key's chain is rendered once. */
export function actorFragment(
  snapshot: CallerSnapshot,
  actor: ActorChain,
  nowMs: number,
  kept: KeptActor,
): Fragment {
  kept.rendered ??= fragment(entryActor(snapshot, actor, nowMs));
  return kept.rendered;
}

/** The rendered actor of an entry that cannot hold all teams: those that are not named are counted. */
export function briefActorFragment(snapshot: CallerSnapshot, actor: ActorChain, nowMs: number): Fragment {
  return fragment({ ...entryActor(snapshot, actor, nowMs), ...listedTeams(actor.standing.teams) });
}
