// Owns the step from a credential to an actor chain against one version of the directory.

import { type Permission, type Role, rolePermissions } from '../access/permissions.ts';
import { type Directory, externalKey } from '../directory/directory.ts';
import type { Key, User } from '../directory/objects.ts';
import { type AgentId, isId, type PrincipalId, type TeamId, type WorkspaceId } from '../ids.ts';
import type { ActorChain, Credential, ResolveRefusal, Standing, TokenProof } from './actor.ts';

export type Resolution =
  | { readonly ok: true; readonly actor: ActorChain }
  | { readonly ok: false; readonly reason: ResolveRefusal };

const refuse = (reason: ResolveRefusal): Resolution => ({ ok: false, reason });

/**
 * What a principal is in one workspace: roles held there or in the whole organization, teams of that
 * workspace, the union of the roles' permissions, and the cost centre (own, else team's, else workspace's).
 */
export function standingOf(
  directory: Directory,
  principalId: PrincipalId,
  workspaceId: WorkspaceId,
): Standing {
  const roleSet = new Set<Role>();
  const everywhere = new Set<Permission>();
  for (const assignment of directory.byPrincipal.roles.get(principalId)?.values() ?? []) {
    if (assignment.workspaceId === undefined) addAll(everywhere, rolePermissions[assignment.role]);
    if (assignment.workspaceId === undefined || assignment.workspaceId === workspaceId)
      roleSet.add(assignment.role);
  }
  const teams: TeamId[] = [];
  for (const membership of directory.byPrincipal.memberships.get(principalId)?.values() ?? []) {
    const team = directory.tables.team.get(membership.teamId);
    if (team !== undefined && team.workspaceId === workspaceId) teams.push(team.id);
  }
  teams.sort();
  const roles = [...roleSet].sort();
  const granted = new Set<Permission>();
  for (const role of roles) addAll(granted, rolePermissions[role]);
  return {
    principalId,
    workspaceId,
    teams,
    roles,
    permissions: granted,
    everywhere,
    costCentre: costCentreOf(directory, principalId, teams, workspaceId),
  };
}

function addAll<T>(into: Set<T>, from: Iterable<T>): void {
  for (const item of from) into.add(item);
}

function costCentreOf(
  directory: Directory,
  principalId: PrincipalId,
  teams: readonly TeamId[],
  workspaceId: WorkspaceId,
): string | undefined {
  const { user, service, team, workspace } = directory.tables;
  const own = user.get(principalId)?.costCentre ?? service.get(principalId)?.costCentre;
  if (own !== undefined) return own;
  for (const id of teams) {
    const found = team.get(id)?.costCentre;
    if (found !== undefined) return found;
  }
  return workspace.get(workspaceId)?.costCentre;
}

/** A way to look standings up; the caller may memoise per version. */
export type StandingOf = (principalId: PrincipalId, workspaceId: WorkspaceId) => Standing;

type LiveKey =
  | { readonly ok: true; readonly key: Key }
  | { readonly ok: false; readonly reason: ResolveRefusal };

/** True for equal hashes, in a time that does not depend on where they differ. */
function sameHash(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i += 1) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}

/** Why a key does not live at this time, of what it says itself; undefined for one that does. */
function endedBy(key: Key, presentedHash: string, nowMs: number): ResolveRefusal | undefined {
  const { previous, expiresAt } = key;
  const isPrevious = (): boolean =>
    previous !== undefined && sameHash(previous.hash, presentedHash) && nowMs < previous.until;
  if (!sameHash(key.hash, presentedHash) && !isPrevious()) return 'unknown_key';
  if (key.status !== 'active') return 'key_revoked';
  return expiresAt !== undefined && nowMs >= expiresAt ? 'key_expired' : undefined;
}

/** INVARIANT: every rule about a key's life is evaluated here, at use; nothing was decided at creation. */
function liveKey(directory: Directory, keyId: string, presentedHash: string, nowMs: number): LiveKey {
  const key = directory.tables.key.get(keyId);
  if (key === undefined) return { ok: false, reason: 'unknown_key' };
  const reason = endedBy(key, presentedHash, nowMs);
  if (reason !== undefined) return { ok: false, reason };
  if (directory.tables.workspace.get(key.workspaceId)?.status !== 'active') {
    return { ok: false, reason: 'workspace_inactive' };
  }
  return { ok: true, key };
}

function userOfToken(directory: Directory, token: TokenProof, nowMs: number): User | ResolveRefusal {
  if (directory.tables.tokenIssuer.get(token.issuerId)?.status !== 'active') return 'unknown_issuer';
  if (nowMs >= (token.expiresAt + 60) * 1000) return 'token_expired';
  const user = directory.usersByExternal.get(externalKey(token.issuerId, token.subject));
  if (user === undefined) return 'unknown_subject';
  return user.status === 'active' ? user : 'principal_inactive';
}

function fromKey(directory: Directory, key: Key, standing: StandingOf): Resolution {
  if (key.requireUser) return refuse('key_needs_user');
  const common = {
    application: undefined,
    keyId: key.id,
    environment: key.environment,
    narrowedTo: key.models,
    token: undefined,
    proof: 'key',
  } as const;
  const id = key.principalId;
  if (isId('user', id)) {
    const refusal = inactive(directory.tables.user.get(id)?.status);
    if (refusal !== undefined) return refuse(refusal);
    const actor = { ...common, kind: 'user', principalId: id, person: id, agents: [] } as const;
    return { ok: true, actor: { ...actor, standing: standing(id, key.workspaceId) } };
  }
  if (isId('agent', id)) return fromAgent(directory, key, id, standing);
  const service = directory.tables.service.get(id);
  const refusal = inactive(service?.status);
  if (refusal !== undefined || service === undefined) return refuse(refusal ?? 'principal_unknown');
  return {
    ok: true,
    actor: {
      ...common,
      kind: 'service',
      principalId: service.id,
      person: undefined,
      agents: [],
      application: service.id,
      standing: standing(service.id, key.workspaceId),
    },
  };
}

function inactive(status: string | undefined): ResolveRefusal | undefined {
  if (status === undefined) return 'principal_unknown';
  return status === 'active' ? undefined : 'principal_inactive';
}

/** An agent's key is its owner's authority with the agent named as the one who acts (RFC 8693 `act`). */
function fromAgent(directory: Directory, key: Key, agentId: AgentId, standing: StandingOf): Resolution {
  const agent = directory.tables.agent.get(agentId);
  const refusal = inactive(agent?.status);
  if (refusal !== undefined || agent === undefined) return refuse(refusal ?? 'principal_unknown');
  if (directory.tables.user.get(agent.ownerId)?.status !== 'active') return refuse('owner_inactive');
  return {
    ok: true,
    actor: {
      kind: 'user',
      principalId: agent.ownerId,
      person: agent.ownerId,
      agents: [agent.id],
      application: undefined,
      standing: standing(agent.ownerId, key.workspaceId),
      keyId: key.id,
      environment: key.environment,
      narrowedTo: key.models,
      token: undefined,
      proof: 'key',
    },
  };
}

function fromToken(directory: Directory, token: TokenProof, nowMs: number, standing: StandingOf): Resolution {
  const user = userOfToken(directory, token, nowMs);
  if (typeof user === 'string') return refuse(user);
  const issuer = directory.tables.tokenIssuer.get(token.issuerId);
  if (issuer === undefined) return refuse('unknown_issuer');
  if (directory.tables.workspace.get(issuer.workspaceId)?.status !== 'active')
    return refuse('workspace_inactive');
  const party = token.authorizedParty;
  const application = party === undefined ? undefined : directory.servicesByClientId.get(party);
  return {
    ok: true,
    actor: {
      kind: 'user',
      principalId: user.id,
      person: user.id,
      agents: [],
      application: application?.id,
      standing: standing(user.id, issuer.workspaceId),
      keyId: undefined,
      environment: undefined,
      narrowedTo: undefined,
      token,
      proof: 'idp',
    },
  };
}

/**
 * A person's token beside an application's key: the person's authority, in the application's workspace,
 * narrowed by its key. The token must have been issued for that very application (`azp`).
 */
function fromBoth(
  directory: Directory,
  key: Key,
  token: TokenProof,
  nowMs: number,
  standing: StandingOf,
): Resolution {
  if (!isId('service', key.principalId)) return refuse('not_an_application_key');
  const service = directory.tables.service.get(key.principalId);
  const refusal = inactive(service?.status);
  if (refusal !== undefined || service === undefined) return refuse(refusal ?? 'principal_unknown');
  if (service.clientId === undefined || token.authorizedParty !== service.clientId) {
    return refuse('application_mismatch');
  }
  const user = userOfToken(directory, token, nowMs);
  if (typeof user === 'string') return refuse(user);
  return {
    ok: true,
    actor: {
      kind: 'user',
      principalId: user.id,
      person: user.id,
      agents: [],
      application: service.id,
      standing: standing(user.id, key.workspaceId),
      keyId: key.id,
      environment: key.environment,
      narrowedTo: key.models,
      token,
      proof: 'idp',
    },
  };
}

/** Keys whose chains are remembered at most. */
const mostRemembered = 100_000;

/** A key whose workspace is active, and what it resolves to. */
type Remembered = { readonly key: Key; readonly resolution: Resolution };

/** What keys resolve to, by their ids: memory of one version, holding nothing of any request. */
export type KeyMemory = Map<string, Remembered>;

/**
 * Who acts, from a credential and one version of the directory. `use` is what the credential is used for:
 * a models key opens no management operation and the reverse. Time is in milliseconds. Never throws.
 * `memory` spares looking up and building the same chain again; INVARIANT: the key's own life (hash, status, expiry)
 * is evaluated at each use, and the caller throws the memory away when the directory changes.
 */
export function resolveActor(
  directory: Directory,
  credential: Credential,
  use: 'models' | 'management',
  nowMs: number,
  standing: StandingOf = (principalId, workspaceId) => standingOf(directory, principalId, workspaceId),
  memory?: KeyMemory,
): Resolution {
  if (credential.kind === 'token') {
    return use === 'models' ? fromToken(directory, credential.token, nowMs, standing) : refuse('wrong_use');
  }
  const { keyId, presentedHash } = credential;
  const known = credential.kind === 'key' ? memory?.get(keyId) : undefined;
  if (known !== undefined) {
    const reason = endedBy(known.key, presentedHash, nowMs);
    if (reason !== undefined) return refuse(reason);
    return known.key.use === use ? known.resolution : refuse('wrong_use');
  }
  const live = liveKey(directory, keyId, presentedHash, nowMs);
  if (!live.ok) return refuse(live.reason);
  const { key } = live;
  if (key.use !== use) return refuse('wrong_use');
  if (credential.kind !== 'key') return fromBoth(directory, key, credential.token, nowMs, standing);
  const resolution = fromKey(directory, key, standing);
  if (memory !== undefined && memory.size < mostRemembered) memory.set(keyId, { key, resolution });
  return resolution;
}
