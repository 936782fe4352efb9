// Owns receipts: one entry's place in the signed tree, as a file that verifies offline.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { rangeHashFromTiles, tilesRead } from '@countersign/core/ledger/tile';
import { formatTlogProof } from '@countersign/core/ledger/tlog-proof';
import { createTreeHasher, inclusionProof, type RangeHash } from '@countersign/core/ledger/tree';
import { readHead } from '../../stores/heads.ts';
import type { Store } from '../../stores/schema.ts';
import { sha256 } from './crypto.ts';
import { readEntries, readTileBytes } from './read-tiles.ts';

export type Receipt = {
  readonly index: number;
  /** The entry's text, exactly as it is hashed. */
  readonly entry: string;
  /** The text of a `.tlog-proof` file (C2SP tlog-proof). */
  readonly proof: string;
  readonly verifierKey: string;
};

/**
 * The receipt of the entry at `index` under the newest committed checkpoint. Reads O(log n) tiles. Throws
 * `not_found` for a place that the log has not.
 */
export async function makeReceipt(store: Store, orgId: OrgId, index: number): Promise<Receipt> {
  const head = await readHead(store, orgId);
  const size = parseSignedCheckpoint(head?.checkpoint ?? '')?.checkpoint.size ?? 0;
  if (head === undefined || index < 0 || index >= size)
    throw new AppError('not_found', `the log has no entry ${index}`);
  const hasher = createTreeHasher(sha256);
  const prove = (hashOf: RangeHash) => inclusionProof(index, size, hashOf);
  const tiles = new Map<string, Uint8Array>();
  for (const tile of tilesRead(size, prove))
    tiles.set(`${tile.level}/${tile.index}`, await readTileBytes(store, hasher, orgId, tile));
  const hashes = prove(
    rangeHashFromTiles(hasher, size, (level, tile) => tiles.get(`${level}/${tile}`) ?? new Uint8Array(0)),
  );
  const [entry] = await readEntries(store, orgId, index, index + 1);
  if (entry === undefined) throw new AppError('internal', 'the ledger has lost an entry');
  return {
    index,
    entry: Buffer.from(entry).toString('utf8'),
    proof: formatTlogProof({ index, hashes, checkpoint: head.checkpoint }),
    verifierKey: head.verifierKey,
  };
}
