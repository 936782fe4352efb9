// Owns the reading of a log's tiles and entries from the store: full tiles as stored, the right edge from bundles.

import type { OrgId } from '@countersign/core/ids';
import {
  decodeBundle,
  encodeBundle,
  encodeTile,
  entriesLevel,
  foldTile,
  type Tile,
  tileWidth,
} from '@countersign/core/ledger/tile';
import type { TreeHasher } from '@countersign/core/ledger/tree';
import { lostEntries, readBundles, readTile } from '../../stores/entries.ts';
import type { Store } from '../../stores/schema.ts';

/** The committed entries [from, to), as bytes. Throws `ledger_unavailable` if one is missing. */
export async function readEntries(
  store: Store,
  orgId: OrgId,
  from: number,
  to: number,
): Promise<readonly Uint8Array[]> {
  const entries: Uint8Array[] = [];
  // Each bundle holds one entry at least, so that many bundles hold them all.
  for (const bundle of await readBundles(store, orgId, from, to, to - from + 1)) {
    for (const [i, entry] of decodeBundle(bundle.bytes).entries.entries()) {
      const index = bundle.firstIndex + i;
      if (index >= from && index < to) entries.push(entry);
    }
  }
  if (entries.length !== to - from) throw lostEntries();
  return entries;
}

async function partialTile(
  store: Store,
  hasher: TreeHasher,
  orgId: OrgId,
  { level, index, width }: Tile,
  base: number,
): Promise<Uint8Array> {
  const first = index * tileWidth;
  if (level === 0) {
    const entries = await readEntries(store, orgId, base + first, base + first + width);
    return encodeTile(entries.map((entry) => hasher.leaf(entry)));
  }
  const hashes: Uint8Array[] = [];
  for (let below = first; below < first + width; below += 1) {
    const tile = await readTile(store, orgId, level - 1, base + below);
    if (tile === undefined) throw lostEntries();
    hashes.push(foldTile(hasher, tile));
  }
  return encodeTile(hashes);
}

/**
 * The bytes of a tile or entry bundle that exists in the committed tree: `width` hashes or entries. `base` is where the
 * rows of a closed log begin (see stores/log-places.ts).
 */
export async function readTileBytes(
  store: Store,
  hasher: TreeHasher,
  orgId: OrgId,
  tile: Tile,
  base = 0,
): Promise<Uint8Array> {
  const { level, index, width } = tile;
  if (level === entriesLevel) {
    const first = index * tileWidth;
    return encodeBundle(await readEntries(store, orgId, base + first, base + first + width));
  }
  const full = await readTile(store, orgId, level, base + index);
  return full?.subarray(0, width * 32) ?? partialTile(store, hasher, orgId, tile, base);
}
