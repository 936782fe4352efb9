// Owns committing organizations' batches: which entries still hold, and what is written beside them.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { decodeBundle, encodeBundle } from '@countersign/core/ledger/tile';
import type { BuiltStatements } from '../../stores/built-statements.ts';
import { findHeadLocked } from '../../stores/heads.ts';
import { insertProviderObject } from '../../stores/provider-objects.ts';
import type { Tx } from '../../stores/schema.ts';
import { insertSidecars } from '../../stores/secrets.ts';
import type { Appender, CheckedHead, Growing, Uncommitted } from './appender.ts';
import type { Beside, OrgBatch, OrgCommit } from './batch.ts';
import type { Pause } from './pause.ts';

export type BatchDeps = {
  readonly appender: Appender;
  readonly built: BuiltStatements;
  /** True on PostgreSQL, where the head's row must be locked by name. */
  readonly locksRows: boolean;
  readonly now: () => number;
};

/** Places for the entries that are kept, in order from `first`; -1 for the others. */
function placesOf(isKept: readonly boolean[], first: number): readonly number[] {
  let next = first;
  return isKept.map((keep) => {
    if (!keep) return -1;
    next += 1;
    return next - 1;
  });
}

/** A log in one transaction: the head that it has locked, and what has grown from there, if anything has. */
type Log = { readonly checked: CheckedHead; readonly growing: Growing | undefined };

type Committed = Pick<Log, 'growing'> & { readonly reply: OrgCommit };

async function lockLog(deps: BatchDeps, tx: Tx, orgId: OrgId): Promise<Log> {
  const found = await findHeadLocked(tx, orgId, deps.locksRows, deps.built);
  return { checked: deps.appender.check(orgId, found), growing: undefined };
}

/**
 * Appends those entries of a batch that were decided under the version that the head still has. INVARIANT: the
 * head is locked before versions are compared, so that no change can come between.
 */
async function commitBatch(
  { appender, now }: BatchDeps,
  tx: Tx,
  batch: OrgBatch,
  { checked, growing }: Log,
): Promise<Committed> {
  const { orgId } = batch;
  const { version } = checked.head;
  const size = growing?.grown.frontier.size ?? checked.head.size;
  if (batch.at !== undefined && batch.at !== size)
    throw new AppError('internal', `the log has ${size} entries where ${batch.at} were promised`);
  const { entries, torn } = decodeBundle(batch.bundle);
  if (torn || entries.length !== batch.versions.length)
    throw new AppError('internal', 'a batch arrived torn');
  const isKept = batch.versions.map((decided) => decided < 0 || decided === version);
  const kept = entries.filter((_, i) => isKept[i]);
  const reply = { orgId, version, indices: placesOf(isKept, size) };
  if (kept.length === 0) return { reply, growing };
  const bundle = kept.length === entries.length ? batch.bundle : encodeBundle(kept);
  const begun = growing ?? (await appender.begin(tx, orgId, checked));
  const grown = await appender.grow(tx, begun, { entries: kept, bundle, version });
  const isWritten = ({ position }: Beside<unknown>) => isKept[position] === true;
  const sidecars = batch.sidecars.filter(isWritten).map(({ value }) => value);
  await insertSidecars(tx, orgId, sidecars);
  for (const { value } of batch.objects.filter(isWritten)) {
    await insertProviderObject(tx, orgId, value, now());
  }
  return { reply, growing: grown };
}

/**
 * Commits batches one after the other, of which several may be of one log, and signs each log that has grown once, at
 * the end; `done` gets its append.
 */
export async function commitBatches(
  deps: BatchDeps,
  tx: Tx,
  batches: readonly OrgBatch[],
  done: Map<OrgId, Uncommitted>,
  pause: Pause,
): Promise<readonly OrgCommit[]> {
  const replies: OrgCommit[] = [];
  const logs = new Map<OrgId, Log>();
  for (const batch of batches) {
    const { orgId } = batch;
    const log = logs.get(orgId) ?? (await lockLog(deps, tx, orgId));
    const { reply, growing } = await commitBatch(deps, tx, batch, log);
    logs.set(orgId, { checked: log.checked, growing });
    replies.push(reply);
    await pause();
  }
  for (const [orgId, { growing }] of logs) {
    if (growing !== undefined) done.set(orgId, await deps.appender.sign(tx, growing));
  }
  return replies;
}
