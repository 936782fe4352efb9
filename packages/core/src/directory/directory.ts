// Owns an organization's directory in memory: the fold of every change up to one version, with its indexes.

import { AppError } from '../errors.ts';
import type { OrgId, PrincipalId } from '../ids.ts';
import type {
  Agent,
  Budget,
  Change,
  Classifier,
  Key,
  Membership,
  Model,
  ObjectKind,
  ObjectState,
  Organization,
  Policy,
  Provider,
  RateLimit,
  RoleAssignment,
  Service,
  Team,
  TokenIssuer,
  User,
  Workspace,
} from './objects.ts';

type Tables = { readonly [K in ObjectKind]: Map<string, ObjectState<K>> };

/**
 * The accumulator of the fold. Its states are immutable; the maps change only through `applyChanges`, which
 * has one owner. INVARIANT: what is read between two awaits belongs to one version.
 */
export type Directory = {
  readonly orgId: OrgId;
  readonly tables: Tables;
  readonly byPrincipal: {
    readonly memberships: Map<PrincipalId, ReadonlyMap<string, Membership>>;
    readonly roles: Map<PrincipalId, ReadonlyMap<string, RoleAssignment>>;
  };
  /** Models by every name that clients may send: their own and their aliases. */
  readonly modelsByName: Map<string, Model>;
  readonly providersByName: Map<string, Provider>;
  /** Applications by the `azp` that issuers give them. */
  readonly servicesByClientId: Map<string, Service>;
  /** People by `issuerId subjectCommitment`. */
  readonly usersByExternal: Map<string, User>;
  /** Counts every applied version; caches compare it. */
  readonly at: { version: number };
};

function emptyTables(): Tables {
  return {
    organization: new Map<string, Organization>(),
    workspace: new Map<string, Workspace>(),
    team: new Map<string, Team>(),
    user: new Map<string, User>(),
    service: new Map<string, Service>(),
    agent: new Map<string, Agent>(),
    membership: new Map<string, Membership>(),
    roleAssignment: new Map<string, RoleAssignment>(),
    key: new Map<string, Key>(),
    tokenIssuer: new Map<string, TokenIssuer>(),
    provider: new Map<string, Provider>(),
    model: new Map<string, Model>(),
    budget: new Map<string, Budget>(),
    rateLimit: new Map<string, RateLimit>(),
    classifier: new Map<string, Classifier>(),
    policy: new Map<string, Policy>(),
  };
}

/** A directory at version 0, before the organization's first entry. */
export function emptyDirectory(orgId: OrgId): Directory {
  return {
    orgId,
    tables: emptyTables(),
    byPrincipal: { memberships: new Map(), roles: new Map() },
    modelsByName: new Map(),
    providersByName: new Map(),
    servicesByClientId: new Map(),
    usersByExternal: new Map(),
    at: { version: 0 },
  };
}

/** The key of `usersByExternal`. */
export function externalKey(issuerId: string, subjectCommitment: string): string {
  return `${issuerId} ${subjectCommitment}`;
}

function put<T>(map: Map<string, T>, id: string, state: T | null): T | undefined {
  const before = map.get(id);
  if (state === null) map.delete(id);
  else map.set(id, state);
  return before;
}

type Owned = { readonly id: string; readonly principalId: PrincipalId };

function reindexOwned<T extends Owned>(
  index: Map<PrincipalId, ReadonlyMap<string, T>>,
  before: T | undefined,
  after: T | null,
): void {
  if (before !== undefined) {
    const rest = new Map(index.get(before.principalId));
    rest.delete(before.id);
    if (rest.size === 0) index.delete(before.principalId);
    else index.set(before.principalId, rest);
  }
  if (after !== null)
    index.set(after.principalId, new Map(index.get(after.principalId)).set(after.id, after));
}

function reindexNames<T>(
  index: Map<string, T>,
  before: readonly string[],
  after: readonly string[],
  state: T | null,
): void {
  for (const name of before) index.delete(name);
  if (state !== null) for (const name of after) index.set(name, state);
}

const modelNames = (model: Model | null | undefined): readonly string[] =>
  model ? [model.name, ...model.aliases] : [];
const externalOf = (user: User | null | undefined): readonly string[] =>
  user?.external === undefined ? [] : [externalKey(user.external.issuerId, user.external.subject)];
const clientIdOf = (service: Service | null | undefined): readonly string[] =>
  service?.clientId === undefined ? [] : [service.clientId];
const nameOf = (object: { readonly name: string } | null | undefined): readonly string[] =>
  object ? [object.name] : [];

function applyChange(directory: Directory, change: Change): void {
  const { tables } = directory;
  switch (change.kind) {
    case 'membership':
      reindexOwned(
        directory.byPrincipal.memberships,
        put(tables.membership, change.id, change.state),
        change.state,
      );
      return;
    case 'roleAssignment':
      reindexOwned(
        directory.byPrincipal.roles,
        put(tables.roleAssignment, change.id, change.state),
        change.state,
      );
      return;
    case 'model': {
      const before = put(tables.model, change.id, change.state);
      reindexNames(directory.modelsByName, modelNames(before), modelNames(change.state), change.state);
      return;
    }
    case 'provider': {
      const before = put(tables.provider, change.id, change.state);
      reindexNames(directory.providersByName, nameOf(before), nameOf(change.state), change.state);
      return;
    }
    case 'service': {
      const before = put(tables.service, change.id, change.state);
      reindexNames(directory.servicesByClientId, clientIdOf(before), clientIdOf(change.state), change.state);
      return;
    }
    case 'user': {
      const before = put(tables.user, change.id, change.state);
      reindexNames(directory.usersByExternal, externalOf(before), externalOf(change.state), change.state);
      return;
    }
    default:
      applyPlain(tables, change);
  }
}

type PlainChange = Exclude<
  Change,
  { readonly kind: 'membership' | 'roleAssignment' | 'model' | 'provider' | 'service' | 'user' }
>;

function applyPlain(tables: Tables, change: PlainChange): void {
  switch (change.kind) {
    case 'organization':
      put(tables.organization, change.id, change.state);
      return;
    case 'workspace':
      put(tables.workspace, change.id, change.state);
      return;
    case 'team':
      put(tables.team, change.id, change.state);
      return;
    case 'agent':
      put(tables.agent, change.id, change.state);
      return;
    case 'key':
      put(tables.key, change.id, change.state);
      return;
    case 'tokenIssuer':
      put(tables.tokenIssuer, change.id, change.state);
      return;
    case 'budget':
      put(tables.budget, change.id, change.state);
      return;
    case 'rateLimit':
      put(tables.rateLimit, change.id, change.state);
      return;
    case 'classifier':
      put(tables.classifier, change.id, change.state);
      return;
    case 'policy':
      put(tables.policy, change.id, change.state);
      return;
    default:
      assertPlainNever(change);
  }
}

function assertPlainNever(change: never): never {
  throw new AppError('internal', `unhandled change ${JSON.stringify(change)}`);
}

/**
 * Advances the directory to `version` by the changes that version made. Throws `internal` if the version
 * is not newer: snapshots install only forward.
 */
export function applyChanges(directory: Directory, version: number, changes: readonly Change[]): void {
  if (version <= directory.at.version) {
    throw new AppError(
      'internal',
      `directory is at version ${directory.at.version}, cannot install ${version}`,
    );
  }
  for (const change of changes) applyChange(directory, change);
  directory.at.version = version;
}

/** The organization's own state. Throws `internal` before its first entry was applied. */
export function organizationOf(directory: Directory): Organization {
  const organization = directory.tables.organization.get(directory.orgId);
  if (organization === undefined) throw new AppError('internal', 'the directory holds no organization yet');
  return organization;
}
