// Owns the check of who acted: the recorded actor against the directory as it stood at that place.

import type { Directory } from '@countersign/core/directory/directory';
import type { Key } from '@countersign/core/directory/objects';
import type { ActorChain } from '@countersign/core/identity/actor';
import { standingOf } from '@countersign/core/identity/resolve';
import { type AgentId, isId, type PrincipalId, type ServiceId, type UserId } from '@countersign/core/ids';
import type { Entry } from '@countersign/core/ledger/entry';
import { listedTeams } from '@countersign/core/ledger/listed-rules';
import { expectSame, listText, type Report } from './difference.ts';

type EntryActor = Entry['actor'];

export type CheckedActor = {
  readonly chain: ActorChain;
  /** The key that was presented, if one was. */
  readonly key: Key | undefined;
};

function checkPrincipal(directory: Directory, actor: EntryActor, report: Report): void {
  const { user, service } = directory.tables;
  const status = actor.kind === 'user' ? user.get(actor.id)?.status : service.get(actor.id)?.status;
  expectSame(report, 'actor_not_live', `${actor.id} active`, `${actor.id} ${status ?? 'unknown'}`);
}

function checkChain(directory: Directory, actor: EntryActor, report: Report): void {
  for (const { id, kind } of actor.act ?? []) {
    if (kind === 'service') {
      const status = directory.tables.service.get(id)?.status ?? 'unknown';
      expectSame(report, 'actor_not_live', `${id} active`, `${id} ${status}`);
      continue;
    }
    const agent = directory.tables.agent.get(id);
    expectSame(report, 'actor_not_live', `${id} active`, `${id} ${agent?.status ?? 'unknown'}`);
    if (agent !== undefined && agent.ownerId !== actor.id)
      report('actor_differs', `${id} acts for ${actor.id}`, `${id} acts for ${agent.ownerId}`);
  }
}

/** Whether a key of this bearer can have proven this actor: itself, its agent, or the application beside a token. */
function carries(key: Key, actor: EntryActor): boolean {
  if (key.principalId === actor.id) return !key.requireUser;
  const through = actor.act?.some(({ id }) => id === key.principalId) === true;
  return through && (isId('agent', key.principalId) || actor.proof === 'idp');
}

function checkKey(
  directory: Directory,
  actor: EntryActor,
  use: Key['use'],
  atMs: number,
  report: Report,
): Key | undefined {
  if (actor.cred === undefined || !isId('key', actor.cred)) return undefined;
  const key = directory.tables.key.get(actor.cred);
  if (key === undefined) {
    report('key_not_live', `${actor.cred} active`, 'there is no such key');
    return undefined;
  }
  if (key.status !== 'active') report('key_not_live', `${key.id} active`, `${key.id} ${key.status}`);
  if (key.expiresAt !== undefined && atMs >= key.expiresAt) {
    const expired = new Date(key.expiresAt).toISOString();
    report('key_not_live', `${key.id} unexpired`, `${key.id} expired at ${expired}`);
  }
  if (key.use !== use) report('key_not_live', `${key.id} for ${use}`, `${key.id} for ${key.use}`);
  if (!carries(key, actor))
    report('actor_differs', `${key.id} proves ${actor.id}`, `${key.id} belongs to ${key.principalId}`);
  if (key.workspaceId !== actor.ws)
    report('actor_differs', `workspace ${actor.ws ?? 'none'}`, `workspace ${key.workspaceId} of ${key.id}`);
  return key;
}

function checkIssuer(directory: Directory, actor: EntryActor, report: Report): void {
  if (actor.proof !== 'idp') return;
  const issuer = directory.tables.tokenIssuer.get(actor.iss ?? '');
  expectSame(
    report,
    'actor_not_live',
    `issuer ${actor.iss ?? 'none'} active`,
    `issuer ${actor.iss ?? 'none'} ${issuer?.status ?? 'unknown'}`,
  );
}

type Resolved = { readonly kind: 'user' | 'service'; readonly id: UserId | ServiceId };

function resolvedOf(actor: EntryActor): Resolved | undefined {
  if (actor.kind === 'user' && isId('user', actor.id)) return { kind: 'user', id: actor.id };
  if (actor.kind === 'service' && isId('service', actor.id)) return { kind: 'service', id: actor.id };
  return undefined;
}

function idsOf<I extends AgentId | ServiceId>(actor: EntryActor, is: (id: string) => id is I): readonly I[] {
  return (actor.act ?? []).map(({ id }) => id).filter(is);
}

/** All teams are named; where an intent counts some, it names and counts them as the gateway does. */
function checkTeams(actor: EntryActor, use: Key['use'], held: readonly string[], report: Report): void {
  const isListed = use === 'models' && actor.more_teams !== undefined;
  const { teams, more_teams: more } = isListed ? listedTeams(held) : { teams: held, more_teams: undefined };
  const recorded = `teams ${listText(actor.teams, actor.more_teams)}`;
  expectSame(report, 'actor_differs', recorded, `teams ${listText(teams, more)}`);
}

function samePrincipal(id: PrincipalId): ServiceId | undefined {
  return isId('service', id) ? id : undefined;
}

/**
 * Holds a recorded actor to the directory: alive, with exactly the roles and teams that the directory gives
 * it there, proven by a key that was alive and for this use. Gives the chain resolved anew, for the decision;
 * undefined for those who are not in a directory (`system`, `anonymous`).
 */
export function checkActor(
  directory: Directory,
  actor: EntryActor,
  use: Key['use'],
  atMs: number,
  report: Report,
): CheckedActor | undefined {
  const resolved = resolvedOf(actor);
  const workspace = directory.tables.workspace.get(actor.ws ?? '');
  if (resolved === undefined || workspace === undefined) {
    if (actor.kind === 'system' || actor.kind === 'anonymous') return undefined;
    report(
      'actor_differs',
      `${actor.kind} ${actor.id} in ${actor.ws ?? 'no workspace'}`,
      'nobody of that name',
    );
    return undefined;
  }
  expectSame(report, 'actor_not_live', `${workspace.id} active`, `${workspace.id} ${workspace.status}`);
  checkPrincipal(directory, actor, report);
  checkChain(directory, actor, report);
  checkIssuer(directory, actor, report);
  const key = checkKey(directory, actor, use, atMs, report);
  const standing = standingOf(directory, resolved.id, workspace.id);
  expectSame(report, 'actor_differs', `roles ${listText(actor.roles)}`, `roles ${listText(standing.roles)}`);
  checkTeams(actor, use, standing.teams, report);
  const [application = samePrincipal(resolved.id)] = idsOf(actor, (id) => isId('service', id));
  return {
    key,
    chain: {
      kind: resolved.kind,
      principalId: resolved.id,
      person: isId('user', resolved.id) ? resolved.id : undefined,
      agents: idsOf(actor, (id) => isId('agent', id)),
      application,
      standing,
      keyId: key?.id,
      environment: key?.environment,
      narrowedTo: key?.models,
      token: undefined,
      proof: actor.proof === 'idp' ? 'idp' : 'key',
    },
  };
}
