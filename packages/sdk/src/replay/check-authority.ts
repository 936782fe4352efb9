// Owns the check of a change's maker: what they did is theirs to do, there, and gives nobody what they lack.

import type { CommandId } from '@countersign/contract/operation-effects';
import type { Permission } from '@countersign/core/access/permissions';
import type { Agent, Change, Key, TokenIssuer, Workspace } from '@countersign/core/directory/objects';
import { isId } from '@countersign/core/ids';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import { holdersBeyond, isOwn, type Maker, may, mayGive, roleBeyond, scopesOf } from './authority-at.ts';
import { listText, type Report } from './difference.ts';

type OfKind<K extends Change['kind']> = Extract<Change, { readonly kind: K }>;

export type Made = {
  readonly operation: CommandId;
  /** The operation's own permissions: one of them is needed. */
  readonly needed: readonly Permission[];
  readonly changes: readonly Change[];
  /** Whom an erasure is about. */
  readonly subject: string | undefined;
};

/** What an agent changes: its own keys. */
const openToAgents: ReadonlySet<CommandId> = new Set([
  'key.create',
  'key.update',
  'key.rotate',
  'key.revoke',
]);

/** Says what the maker lacks; undefined if nothing. */
type Lacked = string | undefined;

function lacksEverywhere(maker: Maker, permissions: readonly Permission[], change: Change): Lacked {
  const lacked = scopesOf(maker.directory, change).find(
    (scope) => !permissions.some((permission) => may(maker, permission, scope)),
  );
  return lacked === undefined ? undefined : `lacks ${listText(permissions)} in ${lacked}`;
}

function lacksReach(maker: Maker, principalId: Key['principalId'], within?: Key['workspaceId']): Lacked {
  const beyond = roleBeyond(maker, principalId, within);
  return beyond === undefined ? undefined : `could not give ${beyond.role}, which ${principalId} holds`;
}

/** A role may be given and taken by who holds all that it carries; a new service is a member of its workspace. */
function lacksForRole(maker: Maker, made: Made, { id, state }: OfKind<'roleAssignment'>): Lacked {
  const held = state ?? maker.directory.tables.roleAssignment.get(id);
  if (held === undefined) return undefined;
  const scope = held.workspaceId ?? 'organization';
  if (!mayGive(maker, held.role, scope)) return `could not give ${held.role} in ${scope}`;
  if (made.operation === 'service.create')
    return held.role === 'member' && scope !== 'organization'
      ? undefined
      : `a new service is no ${held.role}`;
  return may(maker, 'roles.assign', scope) ? undefined : `lacks roles.assign in ${scope}`;
}

function lacksForOneKey(maker: Maker, made: Made, key: Key, before: Key | undefined): Lacked {
  const { principalId, workspaceId } = key;
  const { agents } = maker.chain;
  if (agents.length > 0 && !agents.some((id) => id === principalId))
    return 'is an agent with keys of its own only';
  if (!may(maker, 'keys.write', workspaceId)) {
    if (!isOwn(maker, principalId)) return `lacks keys.write in ${workspaceId}`;
    if (made.operation === 'key.create' && !may(maker, 'keys.create_own', workspaceId))
      return `lacks keys.create_own in ${workspaceId}`;
  }
  const isWidened = canonicalJson({ is: before?.models }) !== canonicalJson({ is: key.models });
  const isReached = made.operation === 'key.update' ? isWidened : made.operation !== 'key.revoke';
  return isReached ? lacksReach(maker, principalId, workspaceId) : undefined;
}

function lacksForAgent(maker: Maker, before: Agent | undefined, after: Agent): Lacked {
  const { ownerId, workspaceId } = after;
  const isTheirs = ownerId === maker.chain.person;
  if (isTheirs && may(maker, 'keys.create_own', workspaceId)) return undefined;
  if (!may(maker, 'principals.write', workspaceId)) return `lacks principals.write in ${workspaceId}`;
  return before === undefined || isTheirs ? undefined : lacksReach(maker, after.id);
}

/** What decides whose calls a token of this issuer makes, and where. */
function vouching({ id: _id, name, roleMap, teamMap, justInTime, status, ...rest }: TokenIssuer): string {
  return canonicalJson(rest);
}

function lacksForIssuer(maker: Maker, { id, state }: OfKind<'tokenIssuer'>): Lacked {
  const before = maker.directory.tables.tokenIssuer.get(id);
  if (state === null) return undefined;
  const given = [before, state].flatMap((issuer) => Object.values(issuer?.roleMap ?? {}));
  const beyond = given.find((role) => !mayGive(maker, role, 'organization'));
  if (beyond !== undefined) return `could not give ${beyond}, which tokens of ${id} give`;
  const isRevived = before?.status !== 'active' && state.status === 'active';
  if (before === undefined || (!isRevived && vouching(before) === vouching(state))) return undefined;
  for (const principalId of holdersBeyond(maker)) {
    const user = maker.directory.tables.user.get(principalId);
    if (user?.external?.issuerId === id)
      return `could not give what ${principalId} holds, for whom ${id} vouches`;
  }
  return undefined;
}

/** The keys of who holds more end with no workspace that the maker ends. */
function lacksForWorkspace(maker: Maker, before: Workspace | undefined, after: Workspace | null): Lacked {
  if (before?.status !== 'active' || after?.status === 'active') return undefined;
  const beyond = holdersBeyond(maker);
  if (beyond.size === 0) return undefined;
  for (const { principalId, workspaceId, use, status } of maker.directory.tables.key.values()) {
    if (workspaceId === before.id && use === 'management' && status === 'active' && beyond.has(principalId))
      return `would end a management key of ${principalId}, who holds more`;
  }
  return undefined;
}

function lacksForPrincipal(maker: Maker, id: string): Lacked {
  return isId('user', id) || isId('service', id) ? lacksReach(maker, id) : undefined;
}

function lacksFor(maker: Maker, made: Made, change: Change): Lacked {
  const { tables } = maker.directory;
  switch (change.kind) {
    case 'roleAssignment':
      return lacksForRole(maker, made, change);
    case 'key':
      return change.state === null
        ? undefined
        : lacksForOneKey(maker, made, change.state, tables.key.get(change.id));
    case 'agent':
      return change.state === null
        ? undefined
        : lacksForAgent(maker, tables.agent.get(change.id), change.state);
    case 'tokenIssuer':
      return lacksEverywhere(maker, made.needed, change) ?? lacksForIssuer(maker, change);
    case 'user':
    case 'service':
      return lacksEverywhere(maker, made.needed, change) ?? lacksForPrincipal(maker, change.id);
    case 'workspace':
      return (
        lacksEverywhere(maker, made.needed, change) ??
        lacksForWorkspace(maker, tables.workspace.get(change.id), change.state)
      );
    default:
      return lacksEverywhere(maker, made.needed, change);
  }
}

/** Whether what was changed besides belongs to it: the role of the person made, the memberships of the team ended. */
function isBeside({ tables }: Maker['directory'], made: Made, change: Change): boolean {
  const { operation, changes, subject } = made;
  const has = (kind: Change['kind'], id: string | undefined): boolean =>
    changes.some((one) => one.kind === kind && one.id === id);
  if (change.kind === 'membership' && operation === 'team.remove')
    return has('team', tables.membership.get(change.id)?.teamId);
  if (change.kind === 'roleAssignment' && operation === 'user.create')
    return has('user', change.state?.principalId);
  if (change.kind === 'roleAssignment' && operation === 'service.create')
    return has('service', change.state?.principalId);
  if (operation !== 'user.erase') return true;
  switch (change.kind) {
    case 'key': {
      const bearer = tables.key.get(change.id)?.principalId ?? '';
      return bearer === subject || tables.agent.get(bearer)?.ownerId === subject;
    }
    case 'agent':
      return tables.agent.get(change.id)?.ownerId === subject;
    case 'roleAssignment':
    case 'membership':
      return tables[change.kind].get(change.id)?.principalId === subject;
    default:
      return change.id === subject;
  }
}

function sourceOf(change: Change): string | undefined {
  return change.kind === 'roleAssignment' || change.kind === 'membership' ? change.state?.source : undefined;
}

/** Who is said to have made an account or a key here; where nothing is said, nothing is shown. */
function makerOf({ tables }: Maker['directory'], change: Change): string | undefined {
  if (change.kind === 'user') return tables.user.has(change.id) ? undefined : change.state?.madeBy;
  const isSecretNew = change.kind === 'key' && change.state?.hash !== tables.key.get(change.id)?.hash;
  return isSecretNew ? change.state?.madeBy : undefined;
}

/** Reports what the maker could not do: where they lack the permission, or would give or touch what they lack. */
export function checkAuthority(maker: Maker, made: Made, report: Report): void {
  const { operation, changes } = made;
  const who = maker.chain.principalId;
  if (maker.chain.agents.length > 0 && !openToAgents.has(operation))
    report('permission_missing', operation, `an agent of ${who} cannot`);
  for (const change of changes) {
    const what = `${operation} of ${change.kind} ${change.id}`;
    if (!isBeside(maker.directory, made, change)) report('change_differs', what, 'no part of it');
    const madeBy = makerOf(maker.directory, change) ?? who;
    if (madeBy !== who) report('change_differs', `${what}, made by ${madeBy}`, `made by ${who}`);
    const source = sourceOf(change) ?? 'direct';
    if (source !== 'direct') report('change_differs', what, `${source} gives that, not ${who}`);
    const lacked = operation === 'user.erase' ? undefined : lacksFor(maker, made, change);
    if (lacked !== undefined) report('permission_missing', what, `${who} ${lacked}`);
  }
}
