// Tests roots and proofs of the tree against published values and each other.

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, toHex } from './encoding.ts';
import { sameBytes } from './primitives.ts';
import {
  appendLeaves,
  consistencyProof,
  createTreeHasher,
  emptyFrontier,
  frontierRoot,
  inclusionProof,
  rangeHashOf,
  verifyConsistency,
  verifyInclusion,
} from './tree.ts';

const hasher = createTreeHasher((data) => hash('sha256', data, 'buffer'));
const entries = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const leaves = entries.map((hex) => hasher.leaf(fromHex(hex) ?? new Uint8Array(0)));
const many = Array.from({ length: 300 }, (_, i) => hasher.leaf(Buffer.from(`entry ${i}`)));
const rootOf = (size: number) =>
  frontierRoot(hasher, appendLeaves(hasher, emptyFrontier, many.slice(0, size)));
const ranges = rangeHashOf(hasher, many);

test('the published roots of the sample tree come out at each size', () => {
  for (const [size, root] of roots.entries()) {
    const frontier = appendLeaves(hasher, emptyFrontier, leaves.slice(0, size));
    assert.equal(toHex(frontierRoot(hasher, frontier)), root);
  }
});

test('a root does not depend on how the appends were grouped', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 7 }), (groups) => {
      let frontier = emptyFrontier;
      for (const group of groups) {
        frontier = appendLeaves(hasher, frontier, many.slice(frontier.size, frontier.size + group));
      }
      assert.deepEqual(frontierRoot(hasher, frontier), rootOf(frontier.size));
    }),
  );
});

test('every inclusion proof verifies, and only for its own leaf, place, size and root', () => {
  const places = fc
    .integer({ min: 1, max: 300 })
    .chain((size) => fc.tuple(fc.nat(size - 1), fc.constant(size)));
  fc.assert(
    fc.property(places, fc.nat(), ([index, size], pick) => {
      const leaf = many[index] ?? new Uint8Array(0);
      const root = rootOf(size);
      const proof = inclusionProof(index, size, ranges);
      const claim = { index, size, leaf, root };
      assert.ok(verifyInclusion(hasher, claim, proof));
      assert.ok(!verifyInclusion(hasher, { ...claim, index: index + 1 }, proof));
      assert.ok(!verifyInclusion(hasher, { ...claim, leaf: hasher.leaf(leaf) }, proof));
      assert.ok(!verifyInclusion(hasher, { ...claim, root: hasher.leaf(root) }, proof));
      assert.ok(!verifyInclusion(hasher, claim, [...proof, root]));
      if (proof.length === 0) return;
      assert.ok(!verifyInclusion(hasher, claim, proof.slice(1)));
      const at = pick % proof.length;
      assert.ok(!verifyInclusion(hasher, claim, proof.with(at, hasher.leaf(root))));
    }),
    { numRuns: 300 },
  );
});

test('every consistency proof verifies, and only between its own trees', () => {
  const sizes = fc.integer({ min: 1, max: 300 }).chain((size) => fc.tuple(fc.nat(size), fc.constant(size)));
  fc.assert(
    fc.property(sizes, fc.nat(), ([oldSize, size], pick) => {
      const older = { size: oldSize, root: rootOf(oldSize) };
      const newer = { size, root: rootOf(size) };
      const proof = consistencyProof(oldSize, size, ranges);
      assert.ok(verifyConsistency(hasher, older, newer, proof));
      assert.ok(!verifyConsistency(hasher, { ...older, root: hasher.leaf(older.root) }, newer, proof));
      assert.ok(!verifyConsistency(hasher, older, newer, [...proof, newer.root]));
      if (oldSize > 0)
        assert.ok(!verifyConsistency(hasher, older, { ...newer, root: hasher.leaf(newer.root) }, proof));
      if (proof.length === 0) return;
      assert.ok(!verifyConsistency(hasher, older, newer, proof.slice(1)));
      assert.ok(!verifyConsistency(hasher, older, newer, proof.with(pick % proof.length, newer.root)));
      assert.ok(!verifyConsistency(hasher, newer, older, proof));
    }),
    { numRuns: 300 },
  );
});

test('a proof that goes on behind the root of its size is refused, even where it leads to the root told', () => {
  const [first = new Uint8Array(0), second = new Uint8Array(0)] = many;
  const claim = { index: 0, size: 1, leaf: second, root: rootOf(2) };
  assert.ok(verifyInclusion(hasher, { ...claim, index: 1, size: 2 }, [first]));
  assert.ok(!verifyInclusion(hasher, claim, [first]));
});

test('nothing but 32 bytes is hashed as half of a tree', () => {
  const good = new Uint8Array(32);
  for (const length of [0, 31, 33]) {
    const bad = new Uint8Array(length);
    assert.throws(() => hasher.inner(bad, good), RangeError);
    assert.throws(() => hasher.inner(good, bad), RangeError);
  }
});

test('hashing does not keep its scratch: two leaves differ', () => {
  const a = hasher.leaf(new Uint8Array(5000));
  const kept = Uint8Array.from(a);
  hasher.leaf(new Uint8Array(10_000));
  assert.ok(sameBytes(a, kept));
});

test('a frontier that lost or gained a hash is refused', () => {
  const frontier = appendLeaves(hasher, emptyFrontier, many.slice(0, 7));
  for (const hashes of [frontier.hashes.slice(1), [...frontier.hashes, ...many.slice(0, 1)]]) {
    assert.throws(() => appendLeaves(hasher, { size: 7, hashes }, many.slice(7, 8)), RangeError);
  }
});
