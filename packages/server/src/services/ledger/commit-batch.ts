// Owns committing organizations' batches: which entries still hold, and what is written beside them.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { decodeBundle, encodeBundle } from '@countersign/core/ledger/tile';
import type { BuiltStatements } from '../../stores/built-statements.ts';
import { findHeadLocked } from '../../stores/heads.ts';
import { insertProviderObject } from '../../stores/provider-objects.ts';
import type { Tx } from '../../stores/schema.ts';
import { insertSidecars } from '../../stores/secrets.ts';
import type { Appender, Uncommitted } from './appender.ts';
import type { Beside, OrgBatch, OrgCommit } from './batch.ts';
import type { Pause } from './pause.ts';

export type BatchDeps = {
  readonly appender: Appender;
  readonly built: BuiltStatements;
  /** True on PostgreSQL, where the head's row must be locked by name. */
  readonly locksRows: boolean;
  readonly now: () => number;
};

type CommittedBatch = { readonly reply: OrgCommit; readonly done: Uncommitted | undefined };

/** Places for the entries that are kept, in order from `first`; -1 for the others. */
function placesOf(isKept: readonly boolean[], first: number): readonly number[] {
  let next = first;
  return isKept.map((keep) => {
    if (!keep) return -1;
    next += 1;
    return next - 1;
  });
}

/**
 * Appends those entries of a batch that were decided under the version that the head still has. INVARIANT: the
 * head is locked before versions are compared, so that no change can come between. `former` is what the same
 * transaction has appended to the log before.
 */
async function commitBatch(
  deps: BatchDeps,
  tx: Tx,
  batch: OrgBatch,
  former?: Uncommitted,
): Promise<CommittedBatch> {
  const { orgId } = batch;
  const found = await findHeadLocked(tx, orgId, deps.locksRows, deps.built);
  const checked = deps.appender.check(orgId, found, former);
  const { head } = checked;
  if (batch.at !== undefined && batch.at !== head.size)
    throw new AppError('internal', `the log has ${head.size} entries where ${batch.at} were promised`);
  const { entries, torn } = decodeBundle(batch.bundle);
  if (torn || entries.length !== batch.versions.length)
    throw new AppError('internal', 'a batch arrived torn');
  const isKept = batch.versions.map((version) => version < 0 || version === head.version);
  const kept = entries.filter((_, i) => isKept[i]);
  const reply = { orgId, version: head.version };
  if (kept.length === 0) return { reply: { ...reply, indices: placesOf(isKept, 0) }, done: former };
  const bundle = kept.length === entries.length ? batch.bundle : encodeBundle(kept);
  const input = { entries: kept, bundle, version: head.version };
  const done = await deps.appender.append(tx, orgId, checked, input);
  const isWritten = ({ position }: Beside<unknown>) => isKept[position] === true;
  const sidecars = batch.sidecars.filter(isWritten).map(({ value }) => value);
  await insertSidecars(tx, orgId, sidecars);
  for (const { value } of batch.objects.filter(isWritten)) {
    await insertProviderObject(tx, orgId, value, deps.now());
  }
  return { reply: { ...reply, indices: placesOf(isKept, done.firstIndex) }, done };
}

/** Commits batches one after the other, of which several may be of one log; `done` gets the last append to each. */
export async function commitBatches(
  deps: BatchDeps,
  tx: Tx,
  batches: readonly OrgBatch[],
  done: Map<OrgId, Uncommitted>,
  pause: Pause,
): Promise<readonly OrgCommit[]> {
  const replies: OrgCommit[] = [];
  for (const batch of batches) {
    const committed = await commitBatch(deps, tx, batch, done.get(batch.orgId));
    if (committed.done !== undefined) done.set(batch.orgId, committed.done);
    replies.push(committed.reply);
    await pause();
  }
  return replies;
}
