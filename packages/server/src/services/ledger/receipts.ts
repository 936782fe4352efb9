// Owns receipts: one entry's place in the signed tree, as a file that verifies offline.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { formatTlogProof } from '@countersign/core/ledger/tlog-proof';
import { listClosedLogs } from '../../stores/closed-logs.ts';
import { readCosigned } from '../../stores/cosignatures.ts';
import { lostEntries } from '../../stores/entries.ts';
import { readHead } from '../../stores/heads.ts';
import { placeOf } from '../../stores/log-places.ts';
import type { Store } from '../../stores/schema.ts';
import { proveInclusion } from './prove-tree.ts';
import { readEntries } from './read-tiles.ts';

export type Receipt = {
  readonly index: number;
  /** The entry's text, exactly as it is hashed. */
  readonly entry: string;
  /** The text of a `.tlog-proof` file (C2SP tlog-proof). */
  readonly proof: string;
  readonly verifierKey: string;
};

type SignedLog = {
  readonly origin: string;
  readonly size: number;
  readonly checkpoint: string;
  readonly verifierKey: string;
};

/** The log that has a row: the current one, or one that was closed. */
async function logOf(store: Store, orgId: OrgId, number: number): Promise<SignedLog | undefined> {
  if (number === 0) return readHead(store, orgId);
  return (await listClosedLogs(store, orgId)).find((closed) => closed.number === number);
}

/** The checkpoint that a receipt is for: the cosigned one where it covers the entry, else the newest. */
async function checkpointFor(store: Store, orgId: OrgId, log: SignedLog, index: number): Promise<string> {
  const cosigned = await readCosigned(store, orgId);
  const covers = cosigned?.origin === log.origin && index < cosigned.size && cosigned.size <= log.size;
  return covers ? cosigned.checkpoint : log.checkpoint;
}

/**
 * The receipt of the entry of a row: under the newest checkpoint that witnesses have cosigned, if that has it, else
 * under the newest committed one of its log; of a closed log, under its last one. Reads O(log n) tiles. Throws
 * `not_found` for a place that the log has not.
 */
export async function makeReceipt(store: Store, orgId: OrgId, row: number): Promise<Receipt> {
  const { number, place: index } = placeOf(row);
  const head = await logOf(store, orgId, number);
  const checkpoint = head === undefined ? '' : await checkpointFor(store, orgId, head, index);
  const size = parseSignedCheckpoint(checkpoint)?.checkpoint.size ?? 0;
  if (head === undefined || index < 0 || index >= size)
    throw new AppError('not_found', `the log has no entry ${index}`);
  const hashes = await proveInclusion(store, orgId, index, size, row - index);
  const [entry] = await readEntries(store, orgId, row, row + 1);
  if (entry === undefined) throw lostEntries();
  return {
    index,
    entry: Buffer.from(entry).toString('utf8'),
    proof: formatTlogProof({ index, hashes, checkpoint }),
    verifierKey: head.verifierKey,
  };
}
