// Owns the ledger's bytes at rest: bundles of entries, full tiles of hashes, and which entry made which version.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { type BuiltStatements, createBuilt, runBuilt } from './built-statements.ts';
import type { Store, Tx } from './schema.ts';

export type Bundle = { readonly firstIndex: number; readonly count: number; readonly bytes: Uint8Array };

/** What the log should have at some place is not there, or is not what it was. */
export function lostEntries(cause?: unknown): AppError {
  const message =
    'the log has lost entries, or they were changed: somebody edited the store, or its disk fails; keep the store as it ' +
    'is, and see docs/guides/operate.md';
  return new AppError('ledger_unavailable', message, { cause });
}

/** Appends one batch as one blob. */
export async function insertBundle(
  tx: Tx,
  orgId: OrgId,
  { firstIndex, count, bytes }: Bundle,
  built: BuiltStatements = createBuilt(),
): Promise<void> {
  await runBuilt(tx, built, 'insert bundle', [orgId, firstIndex, count, bytes], () =>
    tx
      .insertInto('entry_bundles')
      .values({ org_id: orgId, first_index: firstIndex, entry_count: count, bytes }),
  );
}

/** The bundles that hold any entry of [from, to), in order, `limit` at most. */
export async function readBundles(
  store: Store,
  orgId: OrgId,
  from: number,
  to: number,
  limit: number,
): Promise<readonly Bundle[]> {
  const first = await store
    .selectFrom('entry_bundles')
    .select('first_index')
    .where('org_id', '=', orgId)
    .where('first_index', '<=', from)
    .orderBy('first_index', 'desc')
    .limit(1)
    .executeTakeFirst();
  const rows = await store
    .selectFrom('entry_bundles')
    .select(['first_index', 'entry_count', 'bytes'])
    .where('org_id', '=', orgId)
    .where('first_index', '>=', first?.first_index ?? from)
    .where('first_index', '<', to)
    .orderBy('first_index')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ firstIndex: row.first_index, count: row.entry_count, bytes: row.bytes }));
}

type BundleRow = { readonly first_index: number; readonly entry_count: number; readonly bytes: Uint8Array };

/** The bundle that holds the entry at `from`, and those after it, in order, `limit` at most: two built statements. */
export async function nextBundles(
  tx: Tx,
  orgId: OrgId,
  from: number,
  limit: number,
  built: BuiltStatements,
): Promise<readonly Bundle[]> {
  const columns = ['first_index', 'entry_count', 'bytes'] as const;
  const of = () => tx.selectFrom('entry_bundles').select(columns).where('org_id', '=', orgId);
  const { rows: before } = await runBuilt<BundleRow>(tx, built, 'bundle of', [orgId, from, 1], () =>
    of().where('first_index', '<=', from).orderBy('first_index', 'desc').limit(1),
  );
  const { rows: after } = await runBuilt<BundleRow>(tx, built, 'bundles after', [orgId, from, limit], () =>
    of().where('first_index', '>', from).orderBy('first_index').limit(limit),
  );
  return [...before, ...after].map((row) => ({
    firstIndex: row.first_index,
    count: row.entry_count,
    bytes: row.bytes,
  }));
}

/** Stores a full tile: 8,192 bytes. */
export async function insertTile(
  tx: Tx,
  orgId: OrgId,
  level: number,
  tile: number,
  hashes: Uint8Array,
): Promise<void> {
  await tx.insertInto('tiles').values({ org_id: orgId, level, tile, hashes }).execute();
}

/** A full tile, or undefined where it is not full yet. */
export async function readTile(
  store: Store,
  orgId: OrgId,
  level: number,
  tile: number,
): Promise<Uint8Array | undefined> {
  const row = await store
    .selectFrom('tiles')
    .select('hashes')
    .where('org_id', '=', orgId)
    .where('level', '=', level)
    .where('tile', '=', tile)
    .executeTakeFirst();
  return row?.hashes;
}

/** Notes that the entry at `index` made `version`. */
export async function insertVersion(tx: Tx, orgId: OrgId, version: number, index: number): Promise<void> {
  await tx.insertInto('changes').values({ org_id: orgId, version, entry_index: index }).execute();
}

/** The entries that made the versions after `version`, in order. */
export async function versionsAfter(
  store: Store,
  orgId: OrgId,
  version: number,
  limit: number,
): Promise<readonly { readonly version: number; readonly entry_index: number }[]> {
  return store
    .selectFrom('changes')
    .select(['version', 'entry_index'])
    .where('org_id', '=', orgId)
    .where('version', '>', version)
    .orderBy('version')
    .limit(limit)
    .execute();
}
