// Owns governed objects at rest: each in its recorded state, found by id, unique key or owner.

import type { Change, ObjectKind, ObjectState } from '@countersign/core/directory/objects';
import { objectSchemas } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { parseJson } from '@countersign/core/parse-json';
import type { Store, Tx } from './schema.ts';

type Index = { readonly unique: string | null; readonly owner: string | null };

function indexOf(change: Change): Index {
  if (change.state === null) return { unique: null, owner: null };
  switch (change.kind) {
    case 'organization':
      return { unique: change.state.slug, owner: null };
    case 'workspace':
    case 'provider':
    case 'budget':
    case 'rateLimit':
    case 'classifier':
      return { unique: change.state.name, owner: null };
    case 'service':
    case 'team':
      return { unique: change.state.name, owner: change.state.workspaceId };
    case 'model':
      return { unique: change.state.name, owner: change.state.providerId };
    case 'agent':
      return { unique: change.state.name, owner: change.state.ownerId };
    case 'tokenIssuer':
      return { unique: `${change.state.issuer} ${change.state.audience}`, owner: null };
    case 'user': {
      const external = change.state.external;
      return {
        unique: external === undefined ? null : `${external.issuerId} ${external.subject}`,
        owner: null,
      };
    }
    case 'membership':
      return {
        unique: `${change.state.teamId} ${change.state.principalId}`,
        owner: change.state.principalId,
      };
    case 'roleAssignment': {
      const { role, workspaceId, principalId } = change.state;
      return { unique: `${principalId} ${role} ${workspaceId ?? '*'}`, owner: principalId };
    }
    case 'key':
      return { unique: null, owner: change.state.principalId };
    case 'policy':
      return { unique: null, owner: null };
    default:
      return { unique: null, owner: null };
  }
}

/** Writes one change: inserts, replaces, or removes. A broken unique key throws the driver's error. */
export async function writeChange(
  tx: Tx,
  orgId: OrgId,
  version: number,
  nowMs: number,
  change: Change,
): Promise<void> {
  if (change.state === null) {
    await tx
      .deleteFrom('objects')
      .where('org_id', '=', orgId)
      .where('kind', '=', change.kind)
      .where('id', '=', change.id)
      .execute();
    return;
  }
  const index = indexOf(change);
  const row = {
    version,
    state: JSON.stringify(change.state),
    unique_key: index.unique,
    owner_key: index.owner,
  };
  await tx
    .insertInto('objects')
    .values({ org_id: orgId, kind: change.kind, id: change.id, created_at: nowMs, ...row })
    .onConflict((conflict) => conflict.columns(['org_id', 'kind', 'id']).doUpdateSet(row))
    .execute();
}

function decode<K extends ObjectKind>(kind: K, state: string): ObjectState<K> {
  const json: unknown = parseJson(state);
  const parsed = decoders[kind](json);
  return parsed;
}

type Decoders = { readonly [K in ObjectKind]: (value: unknown) => ObjectState<K> };

const decoders: Decoders = {
  organization: (v) => objectSchemas.organization.parse(v),
  workspace: (v) => objectSchemas.workspace.parse(v),
  team: (v) => objectSchemas.team.parse(v),
  user: (v) => objectSchemas.user.parse(v),
  service: (v) => objectSchemas.service.parse(v),
  agent: (v) => objectSchemas.agent.parse(v),
  membership: (v) => objectSchemas.membership.parse(v),
  roleAssignment: (v) => objectSchemas.roleAssignment.parse(v),
  key: (v) => objectSchemas.key.parse(v),
  tokenIssuer: (v) => objectSchemas.tokenIssuer.parse(v),
  provider: (v) => objectSchemas.provider.parse(v),
  model: (v) => objectSchemas.model.parse(v),
  budget: (v) => objectSchemas.budget.parse(v),
  rateLimit: (v) => objectSchemas.rateLimit.parse(v),
  classifier: (v) => objectSchemas.classifier.parse(v),
  policy: (v) => objectSchemas.policy.parse(v),
};

/** An object as it is stored, with when it was made and by which version. */
export type Stored<K extends ObjectKind> = {
  readonly state: ObjectState<K>;
  readonly createdAt: number;
  readonly version: number;
};

/** What `storedObject` needs of a row. */
const objectColumns = ['id', 'version', 'created_at', 'state'] as const;
export type ObjectRow = {
  readonly id: string;
  readonly version: number;
  readonly created_at: number;
  readonly state: string;
};

/** An object from its row. */
export function storedObject<K extends ObjectKind>(kind: K, row: ObjectRow): Stored<K> {
  return { state: decode(kind, row.state), createdAt: row.created_at, version: row.version };
}

/** Every object of one kind of the organization: what each of the questions below narrows. */
export function objectsOf(store: Store, orgId: OrgId, kind: ObjectKind) {
  return store
    .selectFrom('objects')
    .select(objectColumns)
    .where('org_id', '=', orgId)
    .where('kind', '=', kind);
}

/** One object of the organization, or undefined. */
export async function findObject<K extends ObjectKind>(
  store: Store,
  orgId: OrgId,
  kind: K,
  id: string,
): Promise<Stored<K> | undefined> {
  const row = await objectsOf(store, orgId, kind).where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : storedObject(kind, row);
}

/** One object by what is unique about it (see `indexOf`), or undefined. */
export async function findByUniqueKey<K extends ObjectKind>(
  store: Store,
  orgId: OrgId,
  kind: K,
  uniqueKey: string,
): Promise<Stored<K> | undefined> {
  const row = await objectsOf(store, orgId, kind).where('unique_key', '=', uniqueKey).executeTakeFirst();
  return row === undefined ? undefined : storedObject(kind, row);
}

/** All objects of one kind that belong to `owner`. */
export async function listByOwner<K extends ObjectKind>(
  store: Store,
  orgId: OrgId,
  kind: K,
  owner: string,
): Promise<readonly Stored<K>[]> {
  const rows = await objectsOf(store, orgId, kind).where('owner_key', '=', owner).orderBy('id').execute();
  return rows.map((row) => storedObject(kind, row));
}

export type PageRequest = {
  readonly after: string | undefined;
  readonly limit: number;
  readonly owner?: string;
};

/** A page of one kind, newest first, after the id `after`; one row more than `limit` tells of a next page. */
export async function listPage<K extends ObjectKind>(
  store: Store,
  orgId: OrgId,
  kind: K,
  page: PageRequest,
): Promise<readonly Stored<K>[]> {
  let query = objectsOf(store, orgId, kind)
    .orderBy('id', 'desc')
    .limit(page.limit + 1);
  if (page.after !== undefined) query = query.where('id', '<', page.after);
  if (page.owner !== undefined) query = query.where('owner_key', '=', page.owner);
  const rows = await query.execute();
  return rows.map((row) => storedObject(kind, row));
}

const kinds: ReadonlySet<string> = new Set(Object.keys(objectSchemas));
function isKind(kind: string): kind is ObjectKind {
  return kinds.has(kind);
}

/** A chunk of everything an organization has, in a stable order: how a snapshot begins. */
export async function loadChunk(
  store: Store,
  orgId: OrgId,
  after: { readonly kind: string; readonly id: string } | undefined,
  limit: number,
): Promise<readonly { readonly kind: ObjectKind; readonly id: string; readonly state: string }[]> {
  let query = store
    .selectFrom('objects')
    .select(['kind', 'id', 'state'])
    .where('org_id', '=', orgId)
    .orderBy('kind')
    .orderBy('id')
    .limit(limit);
  if (after !== undefined) {
    query = query.where((eb) =>
      eb.or([eb('kind', '>', after.kind), eb.and([eb('kind', '=', after.kind), eb('id', '>', after.id)])]),
    );
  }
  const rows = await query.execute();
  return rows.map((row) => {
    if (!isKind(row.kind))
      throw new AppError('internal', `the store holds an object of unknown kind \`${row.kind}\``);
    return { kind: row.kind, id: row.id, state: row.state };
  });
}

/** The organization that owns a key id: the one look-up that cannot know its organization yet. */
export async function findOrganizationOfKey(store: Store, keyId: string): Promise<string | undefined> {
  const row = await store
    .selectFrom('objects')
    .select('org_id')
    .where('kind', '=', 'key')
    .where('id', '=', keyId)
    .executeTakeFirst();
  return row?.org_id;
}

/** The organization and id of the trusted issuer with this URL and one of these audiences. */
export async function findIssuer(
  store: Store,
  uniqueKeys: readonly string[],
): Promise<readonly { readonly org_id: string; readonly id: string }[]> {
  if (uniqueKeys.length === 0) return [];
  return store
    .selectFrom('objects')
    .select(['org_id', 'id'])
    .where('kind', '=', 'tokenIssuer')
    .where('unique_key', 'in', [...uniqueKeys])
    .execute();
}
