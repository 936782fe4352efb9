// Owns the verification of a whole log from its tiles: each entry hashed again, each tile and the root compared.

import { type CheckpointProblem, openCheckpoint, type SignedCheckpoint } from './checkpoint.ts';
import type { VerifierKey } from './note.ts';
import { sameBytes, type Verifying } from './primitives.ts';
import { decodeBundle, entriesLevel, foldTile, type Tile, tileAt, tilePath, tileWidth } from './tile.ts';
import {
  appendLeaves,
  createTreeHasher,
  emptyFrontier,
  type Frontier,
  frontierRoot,
  type TreeHasher,
} from './tree.ts';

/** Gives a file of the log by its path, or undefined if there is none. The bytes are only read. */
export type LogReader = (path: string) => Promise<Uint8Array | undefined> | Uint8Array | undefined;

/** A head of this log that was received earlier and kept apart from it, with a name for the report. */
export type HeldHead = { readonly name: string; readonly size: number; readonly root: Uint8Array };

/** The first thing that is wrong. `index` is an entry's place, from 0; `file` a path in the log. */
export type Finding =
  | { readonly kind: CheckpointProblem; readonly file: string }
  | { readonly kind: 'file_missing'; readonly file: string; readonly index: number }
  /** A bundle ends inside an entry, or has more or fewer entries than its place in the tree. */
  | { readonly kind: 'bundle_torn' | 'bundle_length'; readonly file: string; readonly index: number }
  | { readonly kind: 'tile_length'; readonly file: string; readonly index: number }
  /** The entry does not match a hash that the rest of the tree confirms. */
  | { readonly kind: 'entry_altered'; readonly file: string; readonly index: number }
  /** The hash does not match what lies under it: the tile was altered. */
  | { readonly kind: 'tile_altered'; readonly file: string; readonly index: number }
  /** All files agree with each other, but not with the root that was signed. */
  | { readonly kind: 'root_differs'; readonly file: string }
  /** The log is shorter than a head that it signed before. */
  | { readonly kind: 'rolled_back'; readonly held: string; readonly size: number; readonly index: number }
  /** The log has other entries than it had when it signed the held head. */
  | { readonly kind: 'forked'; readonly held: string; readonly size: number };

export type VerifiedLog =
  | { readonly ok: true; readonly signed: SignedCheckpoint; readonly files: number }
  | { readonly ok: false; readonly finding: Finding };

export type VerifyLogInput = {
  readonly key: VerifierKey;
  /** The text of the log's checkpoint file. */
  readonly checkpoint: string;
  readonly read: LogReader;
  readonly held: readonly HeldHead[];
  /** Told after each bundle: how many entries are done. */
  readonly onEntries?: ((done: number) => void) | undefined;
};

/**
 * Verifies a log: its checkpoint's signature, then every bundle, hash tile and the root, and that each held
 * head is a prefix. Stops at the first finding. Reads each file once, in order; O(n) hashes, O(log n) memory.
 */
export async function verifyLog(deps: Verifying, input: VerifyLogInput): Promise<VerifiedLog> {
  const opened = openCheckpoint(deps, input.checkpoint, input.key);
  if (!opened.ok) return { ok: false, finding: { kind: opened.problem, file: 'checkpoint' } };
  const { size } = opened.signed.checkpoint;
  const shorter = input.held.find((held) => held.size > size);
  if (shorter !== undefined) {
    const { name, size: heldSize } = shorter;
    return { ok: false, finding: { kind: 'rolled_back', held: name, size: heldSize, index: size } };
  }
  const walk: Walk = {
    hasher: createTreeHasher(deps.sha256),
    size,
    root: opened.signed.checkpoint.root,
    read: input.read,
    held: input.held,
    frontier: emptyFrontier,
    pending: [],
    files: 0,
  };
  for (let index = 0; index * tileWidth < size; index += 1) {
    const finding = await verifyBundle(walk, index);
    if (finding !== undefined) return { ok: false, finding };
    input.onEntries?.(walk.frontier.size);
  }
  const finding = (await verifyRightEdge(walk)) ?? verifyRoots(walk);
  return finding === undefined
    ? { ok: true, signed: opened.signed, files: walk.files }
    : { ok: false, finding };
}

/** The state of one pass. `pending` holds, for each level, the hashes of its unfinished tile. */
type Walk = {
  readonly hasher: TreeHasher;
  readonly size: number;
  readonly root: Uint8Array;
  readonly read: LogReader;
  readonly held: readonly HeldHead[];
  frontier: Frontier;
  readonly pending: { index: number; width: number; readonly bytes: Uint8Array }[];
  files: number;
};

async function verifyBundle(walk: Walk, index: number): Promise<Finding | undefined> {
  const first = index * tileWidth;
  const width = Math.min(tileWidth, walk.size - first);
  const file = tilePath({ level: entriesLevel, index, width });
  const tileFile = tilePath({ level: 0, index, width });
  const bundle = await walk.read(file);
  if (bundle === undefined) return { kind: 'file_missing', file, index: first };
  const stored = await walk.read(tileFile);
  if (stored === undefined) return { kind: 'file_missing', file: tileFile, index: first };
  if (stored.length !== width * 32) return { kind: 'tile_length', file: tileFile, index: first };
  walk.files += 2;
  // One more than there may be shows that there are too many.
  const { entries, torn } = decodeBundle(bundle, width + 1);
  const leaves = entries.slice(0, width).map((entry) => walk.hasher.leaf(entry));
  const wrong = leaves.findIndex((leaf, i) => !sameBytes(leaf, stored.subarray(i * 32, i * 32 + 32)));
  if (wrong >= 0) {
    const entryIsWrong = await isConfirmed(walk, { level: 0, index, width }, stored);
    return entryIsWrong
      ? { kind: 'entry_altered', file, index: first + wrong }
      : { kind: 'tile_altered', file: tileFile, index: first + wrong };
  }
  if (torn) return { kind: 'bundle_torn', file, index: first + Math.min(entries.length, width) };
  if (entries.length !== width) {
    return { kind: 'bundle_length', file, index: first + Math.min(entries.length, width) };
  }
  const forked = checkHeld(walk, leaves);
  if (forked !== undefined) return forked;
  if (width < tileWidth) {
    walk.frontier = appendLeaves(walk.hasher, walk.frontier, leaves);
    return undefined;
  }
  return finishTile(walk, 0, foldTile(walk.hasher, stored));
}

/** Puts a finished tile's hash into the level above, and finishes that level's tile when it is full. */
async function finishTile(walk: Walk, level: number, hash: Uint8Array): Promise<Finding | undefined> {
  if (level === 0) walk.frontier = appendSubtree(walk.hasher, walk.frontier, hash);
  const above = walk.pending[level] ?? { index: 0, width: 0, bytes: new Uint8Array(tileWidth * 32) };
  walk.pending[level] = above;
  above.bytes.set(hash, above.width * 32);
  above.width += 1;
  if (above.width < tileWidth) return undefined;
  const finding = await compareTile(
    walk,
    { level: level + 1, index: above.index, width: tileWidth },
    above.bytes,
  );
  if (finding !== undefined) return finding;
  above.index += 1;
  above.width = 0;
  return finishTile(walk, level + 1, foldTile(walk.hasher, above.bytes));
}

async function compareTile(walk: Walk, tile: Tile, computed: Uint8Array): Promise<Finding | undefined> {
  const file = tilePath(tile);
  const span = tileWidth ** tile.level;
  const first = tile.index * tileWidth * span;
  const stored = await walk.read(file);
  if (stored === undefined) return { kind: 'file_missing', file, index: first };
  if (stored.length !== tile.width * 32) return { kind: 'tile_length', file, index: first };
  walk.files += 1;
  for (let i = 0; i < tile.width; i += 1) {
    const range = [i * 32, i * 32 + 32] as const;
    if (sameBytes(stored.subarray(...range), computed.subarray(...range))) continue;
    return { kind: 'tile_altered', file, index: first + i * span };
  }
  return undefined;
}

/** The partial tiles above level 0. The partial tile of level 0 was compared with its bundle. */
async function verifyRightEdge(walk: Walk): Promise<Finding | undefined> {
  for (const [below, { index, width, bytes }] of walk.pending.entries()) {
    if (width === 0) continue;
    const finding = await compareTile(walk, { level: below + 1, index, width }, bytes);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

function verifyRoots(walk: Walk): Finding | undefined {
  if (!sameBytes(frontierRoot(walk.hasher, walk.frontier), walk.root)) {
    return { kind: 'root_differs', file: 'checkpoint' };
  }
  const forked = walk.held.find(({ size, root }) => size === 0 && !sameBytes(root, walk.hasher.empty()));
  return forked === undefined ? undefined : { kind: 'forked', held: forked.name, size: 0 };
}

/** Compares held heads whose size falls into this bundle; the frontier still ends before it. */
function checkHeld(walk: Walk, leaves: readonly Uint8Array[]): Finding | undefined {
  for (const { name, size, root } of walk.held) {
    const inside = size - walk.frontier.size;
    if (inside < 1 || inside > leaves.length) continue;
    const then = appendLeaves(walk.hasher, walk.frontier, leaves.slice(0, inside));
    if (!sameBytes(frontierRoot(walk.hasher, then), root)) return { kind: 'forked', held: name, size };
  }
  return undefined;
}

/**
 * Whether a tile as stored is what the tree above it was built from: by its parent's hash, or at the right
 * edge by the signed root. Then a mismatch under it means an altered entry, not an altered tile.
 */
async function isConfirmed(walk: Walk, tile: Tile, stored: Uint8Array): Promise<boolean> {
  if (tile.width === tileWidth) {
    const parent = tileAt(walk.size, tile.level + 1, Math.floor(tile.index / tileWidth));
    const bytes = parent === undefined ? undefined : await walk.read(tilePath(parent));
    const at = (tile.index % tileWidth) * 32;
    return bytes !== undefined && sameBytes(bytes.subarray(at, at + 32), foldTile(walk.hasher, stored));
  }
  const hashes = Array.from({ length: tile.width }, (_, i) => stored.subarray(i * 32, i * 32 + 32));
  const whole = appendLeaves(walk.hasher, walk.frontier, hashes);
  return sameBytes(frontierRoot(walk.hasher, whole), walk.root);
}

/** Appends a finished subtree of 256 leaves to a frontier whose size is a multiple of 256. */
function appendSubtree(hasher: TreeHasher, frontier: Frontier, hash: Uint8Array): Frontier {
  const units: Frontier = { size: frontier.size / tileWidth, hashes: frontier.hashes };
  return { size: frontier.size + tileWidth, hashes: appendLeaves(hasher, units, [hash]).hashes };
}
