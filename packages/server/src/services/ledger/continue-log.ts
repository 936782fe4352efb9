// Owns the change from one log of an organization to the next: the former is closed, its key gone, a new one begun.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { formatNote, parseNote, signNote } from '@countersign/core/ledger/note';
import { nextOrigin } from '@countersign/core/ledger/origin';
import { signSuccession } from '@countersign/core/ledger/succession';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { frontierRoot, type TreeHasher } from '@countersign/core/ledger/tree';
import type { Sealer } from '../../platform/sealer/sealer.ts';
import type { BuiltStatements } from '../../stores/built-statements.ts';
import { closeLog, keepSuccession, listClosedLogs, replaceHead } from '../../stores/closed-logs.ts';
import { type Head, lockHead } from '../../stores/heads.ts';
import type { Tx } from '../../stores/schema.ts';
import { frontierOf, growLog, type LogSigner, notGrown, signGrown } from './append.ts';
import { utf8 } from './crypto.ts';
import { makeLogKey, openSigner } from './open-log.ts';

export type ContinueDeps = {
  readonly sealer: Sealer;
  readonly hasher: TreeHasher;
  readonly built: BuiltStatements;
  /** True on PostgreSQL, where the head's row must be locked by name. */
  readonly locksRows: boolean;
};

/** The entries with which a log begins, and the version that it has with them. */
export type Beginning = { readonly entries: readonly Uint8Array[]; readonly version: number };

export type NextLog = {
  /** The head of the log as it was looked at before: it must still be so. */
  readonly former: Head;
  /** The version before the beginning. */
  readonly version: number;
  readonly archive: string;
  /** The largest number that a log of this owner is known to have had. */
  readonly usedNumber: number;
  readonly nowMs: number;
  readonly begin: (log: { readonly origin: string; readonly verifierKey: string }) => Beginning;
};

export type BegunLog = {
  readonly head: Head;
  /** Its checkpoint, signed by the former log's key, too: whoever has only that log's store sees that it was closed. */
  readonly firstNote: string;
};

function signedByBoth(checkpoint: string, former: LogSigner): string {
  const note = parseNote(checkpoint);
  if (note === undefined) throw new AppError('internal', 'a checkpoint of ours cannot be read');
  const { text, signatures } = note;
  return formatNote({ text, signatures: [...signatures, signNote(utf8, former.key, text, former.sign)] });
}

/** Entries and bytes of one bundle at most: readers take a bundle whole. */
const bundleEntries = 256;
const bundleBytes = 1024 * 1024;

function* bundlesOf(entries: readonly Uint8Array[]): Generator<readonly Uint8Array[], void> {
  let bundle: Uint8Array[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (bundle.length === bundleEntries || bytes + entry.length > bundleBytes) {
      yield bundle;
      bundle = [];
      bytes = 0;
    }
    bundle.push(entry);
    bytes += entry.length;
  }
  if (bundle.length > 0) yield bundle;
}

/**
 * Closes an organization's log and begins the next one, inside `tx`. INVARIANT: nothing of the result may leave before
 * the transaction has committed, above all not the signature; and the former log's key signs nothing any more.
 */
export async function continueLog(
  deps: ContinueDeps,
  tx: Tx,
  orgId: OrgId,
  next: NextLog,
): Promise<BegunLog> {
  const { version, archive, nowMs } = next;
  const head = await lockHead(tx, orgId, deps.locksRows, deps.built);
  if (head.checkpoint !== next.former.checkpoint)
    throw new AppError('conflict', 'the log has moved while its archive was written: stop the server first');
  const number = (await listClosedLogs(tx, orgId)).length + 1;
  const former = await openSigner(deps.sealer, tx, orgId, head);
  const origin = nextOrigin(head.origin, next.usedNumber);
  const key = makeLogKey(deps, orgId, origin);
  const begun = next.begin({ origin, verifierKey: key.verifierKey });
  await closeLog(tx, orgId, head, { number, archive, nowMs, begunSize: begun.entries.length });
  await replaceHead(tx, orgId, head, { ...key, origin, version });
  const empty = await lockHead(tx, orgId, deps.locksRows, deps.built);
  const signer = await openSigner(deps.sealer, tx, orgId, empty);
  const root = frontierRoot(deps.hasher, frontierOf(head));
  const succession = signSuccession(utf8, { size: head.size, root }, former, signer);
  await keepSuccession(tx, orgId, { number, succession });
  let grown = notGrown({ signer, head: empty, edge: undefined });
  for (const entries of bundlesOf(begun.entries)) {
    const input = { entries, bundle: encodeBundle(entries), version: begun.version };
    grown = await growLog(deps, tx, orgId, grown, input);
  }
  const { head: begunHead } = await signGrown(deps, tx, orgId, grown);
  return { head: begunHead, firstNote: signedByBoth(begunHead.checkpoint, former) };
}
