// Owns proofs about a log's tree, made from its stored tiles: an entry's place, and that a smaller tree is its beginning.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { rangeHashFromTiles, tilesRead } from '@countersign/core/ledger/tile';
import {
  consistencyProof,
  createTreeHasher,
  inclusionProof,
  type RangeHash,
} from '@countersign/core/ledger/tree';
import type { Store } from '../../stores/schema.ts';
import { sha256 } from './crypto.ts';
import { readTileBytes } from './read-tiles.ts';

type Prove = (hashOf: RangeHash) => readonly Uint8Array[];

/** Reads the O(log n) tiles that a proof needs, and makes it. */
async function proved(store: Store, orgId: OrgId, size: number, prove: Prove, base = 0) {
  const hasher = createTreeHasher(sha256);
  const tiles = new Map<string, Uint8Array>();
  for (const tile of tilesRead(size, prove))
    tiles.set(`${tile.level}/${tile.index}`, await readTileBytes(store, hasher, orgId, tile, base));
  return prove(
    rangeHashFromTiles(hasher, size, (level, tile) => tiles.get(`${level}/${tile}`) ?? new Uint8Array(0)),
  );
}

/** The proof that the entry at `index` is in the tree of `size` entries, which the log has whose rows begin at `base`. */
export function proveInclusion(
  store: Store,
  orgId: OrgId,
  index: number,
  size: number,
  base: number,
): Promise<readonly Uint8Array[]> {
  return proved(store, orgId, size, (hashOf) => inclusionProof(index, size, hashOf), base);
}

/** The proof that the tree of `oldSize` is the beginning of that of `size`. Throws `internal` where it is larger. */
export async function proveConsistency(
  store: Store,
  orgId: OrgId,
  oldSize: number,
  size: number,
): Promise<readonly Uint8Array[]> {
  if (oldSize > size) throw new AppError('internal', `a tree of ${oldSize} is not in one of ${size}`);
  return proved(store, orgId, size, (hashOf) => consistencyProof(oldSize, size, hashOf));
}
