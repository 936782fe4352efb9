// Owns the Merkle tree of RFC 6962 section 2.1: leaf and inner hashes, growth, roots, proofs and their checks.

import { type Sha256, sameBytes } from './primitives.ts';

/** Hashes with their domain prefixes. Holds scratch buffers: one per thread of work, never shared. */
export type TreeHasher = {
  /** SHA-256(0x00 ‖ entry). */
  readonly leaf: (entry: Uint8Array) => Uint8Array;
  /** SHA-256(0x01 ‖ left ‖ right). */
  readonly inner: (left: Uint8Array, right: Uint8Array) => Uint8Array;
  /** SHA-256 of nothing: the root of the empty tree. */
  readonly empty: () => Uint8Array;
};

/** A tree reduced to what growth needs: one hash per set bit of `size`, the largest subtree first. */
export type Frontier = { readonly size: number; readonly hashes: readonly Uint8Array[] };

/** The hash of the leaves [low, high): the seam through which proofs read a tree. */
export type RangeHash = (low: number, high: number) => Uint8Array;

export const emptyFrontier: Frontier = { size: 0, hashes: [] };

/** Makes the tree's hash functions from SHA-256, with buffers that are used again on each call. */
export function createTreeHasher(sha256: Sha256): TreeHasher {
  const inner = new Uint8Array(65);
  inner[0] = 1;
  let leaf = new Uint8Array(4096);
  return {
    leaf: (entry) => {
      if (entry.length + 1 > leaf.length) leaf = new Uint8Array(entry.length * 2);
      leaf[0] = 0;
      leaf.set(entry, 1);
      return sha256(leaf.subarray(0, entry.length + 1));
    },
    inner: (left, right) => {
      if (left.length !== 32 || right.length !== 32) throw new RangeError('a tree hash has 32 bytes');
      inner.set(left, 1);
      inner.set(right, 33);
      return sha256(inner);
    },
    empty: () => sha256(new Uint8Array(0)),
  };
}

/** The frontier after appending leaf hashes in order. O(n) hashes for n leaves. */
export function appendLeaves(
  hasher: TreeHasher,
  frontier: Frontier,
  leafHashes: readonly Uint8Array[],
): Frontier {
  const hashes = [...frontier.hashes];
  let size = frontier.size;
  // INVARIANT: a frontier that storage has damaged must stop the log, not sign another tree.
  if (hashes.length !== setBits(size)) throw new RangeError('the frontier has not one hash for each set bit');
  for (const leafHash of leafHashes) {
    let hash = leafHash;
    // Each trailing one bit of the size is a finished subtree that this leaf joins.
    for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = hashes.pop();
      if (left !== undefined) hash = hasher.inner(left, hash);
    }
    hashes.push(hash);
    size += 1;
  }
  return { size, hashes };
}

/** The root of the tree (RFC 6962 section 2.1): 32 bytes. */
export function frontierRoot(hasher: TreeHasher, frontier: Frontier): Uint8Array {
  let root: Uint8Array | undefined;
  for (const hash of frontier.hashes.toReversed())
    root = root === undefined ? hash : hasher.inner(hash, root);
  return root ?? hasher.empty();
}

/** The largest power of two that is less than n; n must be at least 2. */
export function splitPoint(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** A `RangeHash` over leaf hashes held in memory. O(high - low) a call. */
export function rangeHashOf(hasher: TreeHasher, leafHashes: readonly Uint8Array[]): RangeHash {
  return (low, high) =>
    frontierRoot(hasher, appendLeaves(hasher, emptyFrontier, leafHashes.slice(low, high)));
}

/** The audit path of leaf `index` in the tree of `size` leaves (RFC 6962 section 2.1.1), leaf's sibling first. */
export function inclusionProof(index: number, size: number, hashOf: RangeHash): readonly Uint8Array[] {
  if (!(index >= 0 && index < size)) throw new RangeError(`\`${index}\` is not a place in a tree of ${size}`);
  const fromRoot: Uint8Array[] = [];
  let low = 0;
  let high = size;
  while (high - low > 1) {
    const middle = low + splitPoint(high - low);
    if (index < middle) {
      fromRoot.push(hashOf(middle, high));
      high = middle;
    } else {
      fromRoot.push(hashOf(low, middle));
      low = middle;
    }
  }
  return fromRoot.reverse();
}

/** The proof that the tree of `oldSize` leaves is a prefix of that of `size` (RFC 6962 section 2.1.2). */
export function consistencyProof(oldSize: number, size: number, hashOf: RangeHash): readonly Uint8Array[] {
  if (!(oldSize >= 0 && oldSize <= size)) throw new RangeError(`\`${oldSize}\` is more than ${size}`);
  if (oldSize === 0 || oldSize === size) return [];
  const fromRoot: Uint8Array[] = [];
  let low = 0;
  let high = size;
  while (oldSize !== high) {
    const middle = low + splitPoint(high - low);
    if (oldSize <= middle) {
      fromRoot.push(hashOf(middle, high));
      high = middle;
    } else {
      fromRoot.push(hashOf(low, middle));
      low = middle;
    }
  }
  // Where the walk never went right, the old root itself is the start and the verifier has it.
  if (low !== 0) fromRoot.push(hashOf(low, high));
  return fromRoot.reverse();
}

/** True when the proof leads from the leaf hash at `index` to the root (RFC 9162 section 2.1.3.2). */
export function verifyInclusion(
  hasher: TreeHasher,
  claim: {
    readonly index: number;
    readonly size: number;
    readonly leaf: Uint8Array;
    readonly root: Uint8Array;
  },
  proof: readonly Uint8Array[],
): boolean {
  const { index, size, leaf, root } = claim;
  if (!isSize(index) || !isSize(size) || index >= size || leaf.length !== 32) return false;
  let fn = index;
  let sn = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (sn === 0 || sibling.length !== 32) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = hasher.inner(sibling, hash);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      hash = hasher.inner(hash, sibling);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && sameBytes(hash, root);
}

/**
 * True when the proof shows that the old tree is a prefix of the new one (RFC 9162 section 2.1.4.2). An old
 * size of 0 takes an empty proof and any root, since the empty tree is a prefix of every tree.
 */
export function verifyConsistency(
  hasher: TreeHasher,
  older: { readonly size: number; readonly root: Uint8Array },
  newer: { readonly size: number; readonly root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(older.size) || !isSize(newer.size) || older.size > newer.size) return false;
  if (older.size === newer.size) return proof.length === 0 && sameBytes(older.root, newer.root);
  if (older.size === 0) return proof.length === 0 && sameBytes(older.root, hasher.empty());
  if (proof.length === 0 || proof.some((hash) => hash.length !== 32)) return false;
  const path = isPowerOfTwo(older.size) ? [older.root, ...proof] : proof;
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let fn = older.size - 1;
  let sn = newer.size - 1;
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  let oldHash = first;
  let newHash = first;
  for (const hash of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      oldHash = hasher.inner(hash, oldHash);
      newHash = hasher.inner(hash, newHash);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      newHash = hasher.inner(newHash, hash);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && sameBytes(oldHash, older.root) && sameBytes(newHash, newer.root);
}

function isSize(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

function isPowerOfTwo(n: number): boolean {
  return setBits(n) === 1;
}

function setBits(n: number): number {
  let bits = 0;
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
  return bits;
}
