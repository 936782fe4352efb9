// Owns receipts: one entry's place in the signed tree, as a file that verifies offline.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { formatTlogProof } from '@countersign/core/ledger/tlog-proof';
import { readCosigned } from '../../stores/cosignatures.ts';
import { type Head, readHead } from '../../stores/heads.ts';
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

/** The checkpoint that a receipt is for: the cosigned one where it covers the entry, else the newest. */
async function checkpointFor(store: Store, orgId: OrgId, head: Head, index: number): Promise<string> {
  const cosigned = await readCosigned(store, orgId);
  const covers = cosigned?.origin === head.origin && index < cosigned.size && cosigned.size <= head.size;
  return covers ? cosigned.checkpoint : head.checkpoint;
}

/**
 * The receipt of the entry at `index`: under the newest checkpoint that witnesses have cosigned, if that has it, else
 * under the newest committed one. Reads O(log n) tiles. Throws `not_found` for a place that the log has not.
 */
export async function makeReceipt(store: Store, orgId: OrgId, index: number): Promise<Receipt> {
  const head = await readHead(store, orgId);
  const checkpoint = head === undefined ? '' : await checkpointFor(store, orgId, head, index);
  const size = parseSignedCheckpoint(checkpoint)?.checkpoint.size ?? 0;
  if (head === undefined || index < 0 || index >= size)
    throw new AppError('not_found', `the log has no entry ${index}`);
  const hashes = await proveInclusion(store, orgId, index, size);
  const [entry] = await readEntries(store, orgId, index, index + 1);
  if (entry === undefined) throw new AppError('internal', 'the ledger has lost an entry');
  return {
    index,
    entry: Buffer.from(entry).toString('utf8'),
    proof: formatTlogProof({ index, hashes, checkpoint }),
    verifierKey: head.verifierKey,
  };
}
