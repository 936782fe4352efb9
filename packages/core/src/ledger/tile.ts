// Owns tiles (C2SP tlog-tiles): their paths, entry bundles, which exist at a size, and hashes read from them.

import { frontierRoot, type RangeHash, splitPoint, type TreeHasher } from './tree.ts';

/** Hashes in a full tile, entries in a full bundle, and the step in leaves from one level to the next. */
export const tileWidth = 256;
/** A bundle stores an entry's length in 16 bits. */
export const maxBundleEntryBytes = 65_535;

/** One file: `level` is -1 for entry bundles; `width` is 256 when full, 1 to 255 at the right edge. */
export type Tile = { readonly level: number; readonly index: number; readonly width: number };

/** The level that stands for entry bundles. */
export const entriesLevel = -1;

const tileForm = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;

/** The tile's path below the log's prefix: 1234067 is `x001/x234/067`, a partial tile ends in `.p/<width>`. */
export function tilePath(tile: Tile): string {
  const groups: string[] = [];
  let rest = tile.index;
  do {
    const group = String(rest % 1000).padStart(3, '0');
    groups.unshift(groups.length === 0 ? group : `x${group}`);
    rest = Math.floor(rest / 1000);
  } while (rest > 0);
  const level = tile.level === entriesLevel ? 'entries' : String(tile.level);
  return `tile/${level}/${groups.join('/')}${tile.width === tileWidth ? '' : `.p/${tile.width}`}`;
}

/** Reads a tile's path; undefined unless it is exactly what `tilePath` writes. */
export function parseTilePath(path: string): Tile | undefined {
  const match = tileForm.exec(path);
  if (match === null) return undefined;
  const [, levelText, groups = '', widthText] = match;
  const index = Number(groups.replaceAll(/[x/]/g, ''));
  const level = levelText === 'entries' ? entriesLevel : Number(levelText);
  const width = widthText === undefined ? tileWidth : Number(widthText);
  const tile: Tile = { level, index, width };
  return Number.isSafeInteger(index) && level < 64 && tilePath(tile) === path ? tile : undefined;
}

/** How many hashes of this level a tree of `size` has: each covers 256^level leaves, finished ones only. */
export function hashesAtLevel(size: number, level: number): number {
  return Math.floor(size / tileWidth ** Math.max(level, 0));
}

/** The tile at this place in a tree of `size`, with its width there; undefined if there is none. */
export function tileAt(size: number, level: number, index: number): Tile | undefined {
  const width = Math.min(tileWidth, hashesAtLevel(size, level) - index * tileWidth);
  return width > 0 ? { level, index, width } : undefined;
}

/** Every tile of a tree of `size`, bundles first, then hash tiles level by level. */
export function* tilesOf(size: number): Generator<Tile, void> {
  for (let level = entriesLevel; level < 0 || hashesAtLevel(size, level) > 0; level += 1) {
    const count = Math.ceil(hashesAtLevel(size, level) / tileWidth);
    for (let index = 0; index < count; index += 1) {
      const tile = tileAt(size, level, index);
      if (tile !== undefined) yield tile;
    }
  }
}

/** An entry bundle: (16-bit big-endian length ‖ entry) for each. A RangeError for an entry that is too long. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  const bundle = new Uint8Array(entries.reduce((sum, entry) => sum + 2 + entry.length, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.length > maxBundleEntryBytes) throw new RangeError(`an entry has ${entry.length} bytes`);
    bundle[at] = entry.length >> 8;
    bundle[at + 1] = entry.length & 255;
    bundle.set(entry, at + 2);
    at += 2 + entry.length;
  }
  return bundle;
}

/**
 * The entries of a bundle as views into it, `most` of them at most: what lies behind is not looked at. `torn` is true
 * when bytes are left over or missing at the end.
 */
export function decodeBundle(
  bundle: Uint8Array,
  most = Number.POSITIVE_INFINITY,
): {
  readonly entries: readonly Uint8Array[];
  readonly torn: boolean;
} {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at + 2 <= bundle.length && entries.length < most) {
    const end = at + 2 + (bundle[at] ?? 0) * 256 + (bundle[at + 1] ?? 0);
    if (end > bundle.length) break;
    entries.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return { entries, torn: entries.length < most && at !== bundle.length };
}

/** The hash that a full or partial tile's hashes fold to: the tree hash of the leaves under them. */
export function foldTile(hasher: TreeHasher, tile: Uint8Array): Uint8Array {
  const fold = (low: number, high: number): Uint8Array => {
    if (high - low === 1) return tile.subarray(low * 32, high * 32);
    const middle = low + splitPoint(high - low);
    return hasher.inner(fold(low, middle), fold(middle, high));
  };
  if (tile.length === 0 || tile.length % 32 !== 0) throw new RangeError('a tile holds whole hashes');
  return fold(0, tile.length / 32);
}

/** A tile's hashes one after another. */
export function encodeTile(hashes: readonly Uint8Array[]): Uint8Array {
  const tile = new Uint8Array(hashes.length * 32);
  for (const [i, hash] of hashes.entries()) tile.set(hash, i * 32);
  return tile;
}

/**
 * Every hash tile of a tree from its leaf hashes: path and bytes. For exports and tests of moderate size;
 * holds each level's hashes in memory.
 */
export function* hashTiles(
  hasher: TreeHasher,
  leafHashes: readonly Uint8Array[],
): Generator<readonly [path: string, bytes: Uint8Array], void> {
  let hashes = leafHashes;
  for (let level = 0; hashes.length > 0; level += 1) {
    const above: Uint8Array[] = [];
    for (let index = 0; index * tileWidth < hashes.length; index += 1) {
      const bytes = encodeTile(hashes.slice(index * tileWidth, (index + 1) * tileWidth));
      const width = bytes.length / 32;
      yield [tilePath({ level, index, width }), bytes];
      if (width === tileWidth) above.push(foldTile(hasher, bytes));
    }
    hashes = above;
  }
}

/** Gives a hash tile's bytes: exactly `width` × 32. */
export type TileSource = (level: number, index: number, width: number) => Uint8Array;

/**
 * Reads hashes of leaf ranges from a tree's tiles, for `inclusionProof` and `consistencyProof`. Ranges must
 * be those that a proof asks for: they start at a multiple of the power of two that covers them. Throws a
 * RangeError if a tile has another length than asked. O(log n) tiles for a proof.
 */
export function rangeHashFromTiles(hasher: TreeHasher, size: number, source: TileSource): RangeHash {
  const perfect = (start: number, height: number): Uint8Array => {
    const level = Math.floor(height / 8);
    const first = start / tileWidth ** level;
    const index = Math.floor(first / tileWidth);
    const tile = tileAt(size, level, index);
    if (tile === undefined) throw new RangeError(`a tree of ${size} has no tile ${level}/${index}`);
    const bytes = source(level, index, tile.width);
    if (bytes.length !== tile.width * 32)
      throw new RangeError(`\`${tilePath(tile)}\` is not ${tile.width} hashes`);
    const low = first % tileWidth;
    return foldTile(hasher, bytes.subarray(low * 32, (low + 2 ** (height % 8)) * 32));
  };
  return (low, high) => {
    const hashes: Uint8Array[] = [];
    let start = low;
    // From the left, each step takes the largest perfect subtree that fits: the set bits of the length.
    while (start < high) {
      let height = 0;
      while (2 ** (height + 1) <= high - start) height += 1;
      hashes.push(perfect(start, height));
      start += 2 ** height;
    }
    return frontierRoot(hasher, { size: high - low, hashes });
  };
}

/** The hash tiles that a proof will read, found by a dry run, so that they can be fetched at once before it. */
export function tilesRead(size: number, prove: (hashOf: RangeHash) => unknown): readonly Tile[] {
  const tiles = new Map<string, Tile>();
  const blank = new Uint8Array(32);
  const dry: TreeHasher = { leaf: () => blank, inner: () => blank, empty: () => blank };
  prove(
    rangeHashFromTiles(dry, size, (level, index, width) => {
      tiles.set(`${level}/${index}`, { level, index, width });
      return new Uint8Array(width * 32);
    }),
  );
  return [...tiles.values()];
}
