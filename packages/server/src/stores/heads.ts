// Owns the head of each organization's ledger: the row that carries the one number and that every commit locks.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { type BuiltStatements, createBuilt, runBuilt } from './built-statements.ts';
import type { Store, Tx } from './schema.ts';

export type Head = {
  readonly version: number;
  readonly size: number;
  readonly frontier: Uint8Array;
  readonly checkpoint: string;
  readonly origin: string;
  readonly verifierKey: string;
};

const columns = ['version', 'size', 'frontier', 'checkpoint', 'origin', 'verifier_key'] as const;

type Row = {
  readonly version: number;
  readonly size: number;
  readonly frontier: Uint8Array;
  readonly checkpoint: string;
  readonly origin: string;
  readonly verifier_key: string;
};

const fromRow = (row: Row): Head => ({
  version: row.version,
  size: row.size,
  frontier: row.frontier,
  checkpoint: row.checkpoint,
  origin: row.origin,
  verifierKey: row.verifier_key,
});

/**
 * The head, locked until the transaction ends, if there is one. SQLite's writer holds the whole database already, so only
 * PostgreSQL needs the row lock: `forUpdate` says which.
 */
export async function findHeadLocked(
  tx: Tx,
  orgId: OrgId,
  forUpdate: boolean,
  built: BuiltStatements = createBuilt(),
): Promise<Head | undefined> {
  const { rows } = await runBuilt<Row>(tx, built, 'lock head', [orgId], () => {
    const query = tx.selectFrom('heads').select(columns).where('org_id', '=', orgId);
    return forUpdate ? query.forUpdate() : query;
  });
  const [row] = rows;
  return row === undefined ? undefined : fromRow(row);
}

/** What is thrown for an organization without a log. */
export function noLedger(orgId: OrgId): AppError {
  return new AppError('not_found', `there is no ledger for \`${orgId}\``);
}

/** The same where there must be one: throws `not_found` for an organization without a log. */
export async function lockHead(
  tx: Tx,
  orgId: OrgId,
  forUpdate: boolean,
  built: BuiltStatements = createBuilt(),
): Promise<Head> {
  const head = await findHeadLocked(tx, orgId, forUpdate, built);
  if (head === undefined) throw noLedger(orgId);
  return head;
}

/** The head as the last commit left it. */
export async function readHead(store: Store, orgId: OrgId): Promise<Head | undefined> {
  const row = await store.selectFrom('heads').select(columns).where('org_id', '=', orgId).executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

/** Moves the head forward. Throws `internal` if the row is not at `fromSize` and `fromVersion` any more. */
export async function advanceHead(
  tx: Tx,
  orgId: OrgId,
  from: { readonly version: number; readonly size: number },
  to: {
    readonly version: number;
    readonly size: number;
    readonly frontier: Uint8Array;
    readonly checkpoint: string;
  },
  built: BuiltStatements = createBuilt(),
): Promise<void> {
  const { version, size, frontier, checkpoint } = to;
  const values = [version, size, frontier, checkpoint, orgId, from.version, from.size];
  const { numAffectedRows } = await runBuilt(tx, built, 'advance head', values, () =>
    tx
      .updateTable('heads')
      .set({ version, size, frontier, checkpoint })
      .where('org_id', '=', orgId)
      .where('version', '=', from.version)
      .where('size', '=', from.size),
  );
  if (numAffectedRows !== 1n) throw new AppError('internal', 'the head of the ledger moved during a commit');
}

/** Opens a log: an empty tree under a name and a key that never change. */
export async function insertHead(
  tx: Tx,
  orgId: OrgId,
  log: {
    readonly kind: 'organization' | 'installation';
    readonly origin: string;
    readonly verifierKey: string;
    readonly checkpoint: string;
    readonly sealedSigningKey: Uint8Array;
  },
): Promise<void> {
  await tx
    .insertInto('heads')
    .values({
      org_id: orgId,
      log_kind: log.kind,
      version: 0,
      size: 0,
      frontier: new Uint8Array(0),
      checkpoint: log.checkpoint,
      origin: log.origin,
      verifier_key: log.verifierKey,
      sealed_signing_key: log.sealedSigningKey,
      projected: 0,
    })
    .execute();
}

/** The sealed signing key of a log. */
export async function readSigningKey(store: Store, orgId: OrgId): Promise<Uint8Array | undefined> {
  const row = await store
    .selectFrom('heads')
    .select('sealed_signing_key')
    .where('org_id', '=', orgId)
    .executeTakeFirst();
  return row?.sealed_signing_key;
}

export type Progress = {
  readonly org_id: string;
  readonly log_kind: string;
  readonly size: number;
  readonly projected: number;
};

const progress = ['org_id', 'log_kind', 'size', 'projected'] as const;

/** The size of every log of the installation, and how much of it is projected. */
export async function listHeads(store: Store): Promise<readonly Progress[]> {
  return store.selectFrom('heads').select(progress).orderBy('org_id').execute();
}

/** The size of one log, and how much of it is projected. */
export async function readProgress(
  store: Store,
  orgId: OrgId,
  built: BuiltStatements = createBuilt(),
): Promise<Progress | undefined> {
  const { rows } = await runBuilt<Progress>(store, built, 'progress', [orgId], () =>
    store.selectFrom('heads').select(progress).where('org_id', '=', orgId),
  );
  return rows[0];
}

/**
 * Moves to where the log is projected. Throws if it was moved meanwhile: a step whose commit was given up may still
 * have taken place, and what it counted must not be counted again.
 */
export async function setProjected(
  tx: Tx,
  orgId: OrgId,
  { from, to }: { readonly from: number; readonly to: number },
  built: BuiltStatements = createBuilt(),
): Promise<void> {
  const { numAffectedRows } = await runBuilt(tx, built, 'projected', [to, orgId, from], () =>
    tx.updateTable('heads').set({ projected: to }).where('org_id', '=', orgId).where('projected', '=', from),
  );
  if (numAffectedRows !== 1n)
    throw new AppError('storage_unavailable', 'another projection of the log was under way: retry shortly');
}
