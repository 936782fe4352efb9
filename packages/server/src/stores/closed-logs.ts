// Owns logs that were closed when another one went on in their place: what is known of each, and the move of its rows.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import type { Head } from './heads.ts';
import { baseOf } from './log-places.ts';
import type { Store, Tx } from './schema.ts';

export type ClosedLog = {
  /** 1, 2, 3 … in the order in which they were closed. */
  readonly number: number;
  readonly origin: string;
  readonly verifierKey: string;
  /** The last one that it signed, in this store. */
  readonly checkpoint: string;
  readonly size: number;
  /** The size with which the log that continues it began. */
  readonly begunSize: number;
  /** The folder of its complete export, as it was given when it was closed. */
  readonly archive: string;
  /** The note by which its key has handed over to the log that continues it; absent of one that was closed before there were any. */
  readonly succession: string | undefined;
};

/** The organization's closed logs, the first one first. */
export async function listClosedLogs(store: Store, orgId: OrgId): Promise<readonly ClosedLog[]> {
  const rows = await store
    .selectFrom('closed_logs')
    .select(['number', 'origin', 'verifier_key', 'checkpoint', 'size', 'begun_size', 'archive', 'succession'])
    .where('org_id', '=', orgId)
    .orderBy('number')
    .execute();
  return rows.map(({ verifier_key: verifierKey, begun_size: begunSize, succession, ...row }) => ({
    ...row,
    verifierKey,
    begunSize,
    succession: succession ?? undefined,
  }));
}

/** The note by which the log before the organization's current one has handed over to it; undefined where there is none. */
export async function readSuccession(store: Store, orgId: OrgId): Promise<string | undefined> {
  const row = await store
    .selectFrom('closed_logs')
    .select('succession')
    .where('org_id', '=', orgId)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.succession ?? undefined;
}

/** Keeps the note of a log that was closed in the same transaction. */
export async function keepSuccession(
  tx: Tx,
  orgId: OrgId,
  { number, succession }: { readonly number: number; readonly succession: string },
): Promise<void> {
  await tx
    .updateTable('closed_logs')
    .set({ succession })
    .where('org_id', '=', orgId)
    .where('number', '=', number)
    .execute();
}

async function moveEntries(tx: Tx, orgId: OrgId, base: number): Promise<void> {
  await tx
    .updateTable('entry_bundles')
    .set((eb) => ({ first_index: eb('first_index', '+', base) }))
    .where('org_id', '=', orgId)
    .where('first_index', '>=', 0)
    .execute();
  await tx
    .updateTable('tiles')
    .set((eb) => ({ tile: eb('tile', '+', base) }))
    .where('org_id', '=', orgId)
    .where('tile', '>=', 0)
    .execute();
  await tx
    .updateTable('changes')
    .set((eb) => ({ entry_index: eb('entry_index', '+', base) }))
    .where('org_id', '=', orgId)
    .where('entry_index', '>=', 0)
    .execute();
}

async function moveRecords(tx: Tx, orgId: OrgId, base: number): Promise<void> {
  // INVARIANT: a call of the closed log gets no outcome any more: an entry for it would be in another log.
  await tx
    .updateTable('records')
    .set({ status: 'unknown' })
    .where('org_id', '=', orgId)
    .where('status', 'is', null)
    .where('type', '=', 'model_call')
    .execute();
  await tx
    .updateTable('records')
    .set((eb) => ({
      entry_index: eb('entry_index', '+', base),
      outcome_index: eb('outcome_index', '+', base),
    }))
    .where('org_id', '=', orgId)
    .where('entry_index', '>=', 0)
    .execute();
  await tx
    .updateTable('record_packs')
    .set((eb) => ({ first_index: eb('first_index', '+', base), end_index: eb('end_index', '+', base) }))
    .where('org_id', '=', orgId)
    .where('first_index', '>=', 0)
    .execute();
  // One that began in the log before ends in this one.
  await tx
    .updateTable('record_blocks')
    .set((eb) => ({ end_index: eb('end_index', '+', base) }))
    .where('org_id', '=', orgId)
    .where('end_index', '>', 0)
    .execute();
  await tx
    .updateTable('record_blocks')
    .set((eb) => ({ first_index: eb('first_index', '+', base) }))
    .where('org_id', '=', orgId)
    .where('first_index', '>=', 0)
    .execute();
}

/**
 * Closes the organization's log, as its head has it: its rows make room for a new log. What it costs grows with the
 * log: every bundle and tile is written once more.
 */
export async function closeLog(
  tx: Tx,
  orgId: OrgId,
  head: Head,
  closed: Pick<ClosedLog, 'number' | 'archive' | 'begunSize'> & { readonly nowMs: number },
): Promise<void> {
  const { number, archive, begunSize, nowMs } = closed;
  await moveEntries(tx, orgId, baseOf(number));
  await moveRecords(tx, orgId, baseOf(number));
  await tx
    .insertInto('closed_logs')
    .values({
      org_id: orgId,
      number,
      origin: head.origin,
      verifier_key: head.verifierKey,
      checkpoint: head.checkpoint,
      size: head.size,
      begun_size: begunSize,
      archive,
      closed_at: nowMs,
      succession: null,
    })
    .execute();
}

/** Puts a new, empty log in the place of the closed one. The former key is gone with it. */
export async function replaceHead(
  tx: Tx,
  orgId: OrgId,
  former: Head,
  log: {
    readonly origin: string;
    readonly verifierKey: string;
    readonly checkpoint: string;
    readonly sealedSigningKey: Uint8Array;
    readonly version: number;
  },
): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('heads')
    .set({
      version: log.version,
      size: 0,
      frontier: new Uint8Array(0),
      checkpoint: log.checkpoint,
      origin: log.origin,
      verifier_key: log.verifierKey,
      sealed_signing_key: log.sealedSigningKey,
      projected: 0,
    })
    .where('org_id', '=', orgId)
    .where('size', '=', former.size)
    .where('projected', '=', former.size)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n)
    throw new AppError('internal', 'the head of the ledger moved while its log was closed');
}
