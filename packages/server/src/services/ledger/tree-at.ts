// Owns the root that a log of the store had at an earlier size.

import type { OrgId } from '@countersign/core/ids';
import { rangeHashFromTiles, tilesRead } from '@countersign/core/ledger/tile';
import type { RangeHash, TreeHasher } from '@countersign/core/ledger/tree';
import type { Store } from '../../stores/schema.ts';
import { readTileBytes } from './read-tiles.ts';

/**
 * The root of the first `size` entries of a log that has `of` entries: 32 bytes, from O(log n) tiles. Throws `internal`
 * where one of them is lost.
 */
export async function rootAt(
  store: Store,
  hasher: TreeHasher,
  orgId: OrgId,
  { size, of }: { readonly size: number; readonly of: number },
): Promise<Uint8Array> {
  if (size === 0) return hasher.empty();
  const root = (hashOf: RangeHash) => hashOf(0, size);
  const tiles = new Map<string, Uint8Array>();
  for (const tile of tilesRead(of, root))
    tiles.set(`${tile.level}/${tile.index}`, await readTileBytes(store, hasher, orgId, tile));
  return root(
    rangeHashFromTiles(hasher, of, (level, index) => tiles.get(`${level}/${index}`) ?? new Uint8Array(0)),
  );
}
