// Owns the unfinished tiles at a log's right edge, so that each finished one is stored once, when it fills.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { decodeBundle, encodeTile, foldTile, tileWidth } from '@countersign/core/ledger/tile';
import type { TreeHasher } from '@countersign/core/ledger/tree';
import { insertTile, readBundles, readTile } from '../../stores/entries.ts';
import type { Store, Tx } from '../../stores/schema.ts';

/** The hashes of each level's unfinished tile, one after another, in a tree of `size`. */
export type Edge = { readonly size: number; readonly levels: readonly Uint8Array[] };

const hashBytes = 32;
const tileBytes = tileWidth * hashBytes;

/** Reads a log's edge: the leaf hashes since the last full tile, and above them one hash a full tile. */
export async function loadEdge(store: Store, hasher: TreeHasher, orgId: OrgId, size: number): Promise<Edge> {
  const levels = [encodeTile(await leavesOf(store, hasher, orgId, size))];
  for (let level = 1; Math.floor(size / tileWidth ** level) > 0; level += 1) {
    const count = Math.floor(size / tileWidth ** level);
    const first = count - (count % tileWidth);
    const hashes: Uint8Array[] = [];
    for (let tile = first; tile < count; tile += 1) {
      const below = await readTile(store, orgId, level - 1, tile);
      if (below === undefined)
        throw new AppError('internal', `the ledger has lost tile ${level - 1}/${tile}`);
      hashes.push(foldTile(hasher, below));
    }
    levels.push(encodeTile(hashes));
  }
  return { size, levels };
}

async function leavesOf(
  store: Store,
  hasher: TreeHasher,
  orgId: OrgId,
  size: number,
): Promise<readonly Uint8Array[]> {
  const from = size - (size % tileWidth);
  if (from === size) return [];
  const hashes: Uint8Array[] = [];
  for (const bundle of await readBundles(store, orgId, from, size, tileWidth + 1)) {
    for (const [i, entry] of decodeBundle(bundle.bytes).entries.entries()) {
      if (bundle.firstIndex + i >= from) hashes.push(hasher.leaf(entry));
    }
  }
  if (hashes.length !== size - from) throw new AppError('internal', 'the ledger has lost entries at its end');
  return hashes;
}

/** A tile that fills: memory for the whole of it, and how much is used. */
type Filling = { readonly bytes: Uint8Array; used: number };

function openTile(hashes: Uint8Array = new Uint8Array(0)): Filling {
  const bytes = new Uint8Array(tileBytes);
  bytes.set(hashes);
  return { bytes, used: hashes.length };
}

/** Grows the edge by leaf hashes and stores each tile that fills on the way. */
export async function growEdge(
  tx: Tx,
  hasher: TreeHasher,
  orgId: OrgId,
  edge: Edge,
  leafHashes: readonly Uint8Array[],
): Promise<Edge> {
  const levels = edge.levels.map((hashes) => openTile(hashes));
  let size = edge.size;
  for (const leaf of leafHashes) {
    size += 1;
    let hash = leaf;
    for (let level = 0; ; level += 1) {
      const tile = levels[level] ?? openTile();
      levels[level] = tile;
      tile.bytes.set(hash, tile.used);
      tile.used += hashBytes;
      if (tile.used < tileBytes) break;
      const bytes = tile.bytes.slice();
      await insertTile(tx, orgId, level, Math.floor((size - 1) / tileWidth ** (level + 1)), bytes);
      hash = foldTile(hasher, bytes);
      tile.used = 0;
    }
  }
  return { size, levels: levels.map(({ bytes, used }) => bytes.subarray(0, used)) };
}
