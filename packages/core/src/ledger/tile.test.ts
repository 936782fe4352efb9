// Tests the paths and contents of tiles against their specification.

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { toHex } from './encoding.ts';
import {
  decodeBundle,
  encodeBundle,
  entriesLevel,
  hashTiles,
  parseTilePath,
  rangeHashFromTiles,
  tilePath,
  tilesOf,
  tilesRead,
} from './tile.ts';
import { consistencyProof, createTreeHasher, inclusionProof, rangeHashOf } from './tree.ts';

const hasher = createTreeHasher((data) => hash('sha256', data, 'buffer'));
const hex = (hashes: readonly Uint8Array[]) => hashes.map(toHex);
const paths = (size: number) => [...tilesOf(size)].map(tilePath);

test('paths are those of the specification', () => {
  assert.equal(tilePath({ level: 0, index: 1234067, width: 256 }), 'tile/0/x001/x234/067');
  assert.equal(tilePath({ level: entriesLevel, index: 3, width: 232 }), 'tile/entries/003.p/232');
  assert.equal(tilePath({ level: 2, index: 1000, width: 256 }), 'tile/2/x001/000');
});

test('only the written form of a path is read', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1, max: 63 }),
      fc.nat(2 ** 40),
      fc.integer({ min: 1, max: 256 }),
      (level, index, width) => {
        const tile = { level, index, width };
        assert.deepEqual(parseTilePath(tilePath(tile)), tile);
      },
    ),
  );
  for (const path of [
    'tile/0/x000/001',
    'tile/0/1',
    'tile/0/001.p/256',
    'tile/0/001.p/0',
    'tile/0/001.p/01',
    'tile/00/001',
    'tile/64/001',
    'tile/entries/../001',
    '/tile/0/001',
    'tile/0/x001',
  ]) {
    assert.equal(parseTilePath(path), undefined, path);
  }
});

test('the tiles of the sample sizes are those of the specification', () => {
  assert.deepEqual(paths(0), []);
  assert.deepEqual(
    paths(1000).filter((path) => !path.includes('entries')),
    ['tile/0/000', 'tile/0/001', 'tile/0/002', 'tile/0/003.p/232', 'tile/1/000.p/3'],
  );
  const big = paths(70_000);
  assert.equal(big.filter((path) => path.startsWith('tile/0/')).length, 274);
  for (const path of ['tile/0/273.p/112', 'tile/1/000', 'tile/1/001.p/17', 'tile/2/000.p/1'])
    assert.ok(big.includes(path));
  assert.ok(!big.some((path) => path.startsWith('tile/3/')));
});

test('a bundle gives back its entries, and a cut one is torn', () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 600 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(entries, fc.nat(), (list, pick) => {
      const bundle = encodeBundle(list);
      const whole = decodeBundle(bundle);
      assert.deepEqual(
        whole.entries.map((e) => Uint8Array.from(e)),
        list,
      );
      assert.equal(whole.torn, false);
      const cut = decodeBundle(bundle.subarray(0, pick % bundle.length));
      assert.ok(cut.torn || cut.entries.length < list.length);
      assert.deepEqual(
        cut.entries.map((e) => Uint8Array.from(e)),
        list.slice(0, cut.entries.length),
      );
    }),
  );
  assert.throws(() => encodeBundle([new Uint8Array(65_536)]), RangeError);
});

test('a bundle that lacks its last byte gives none of its last entry', () => {
  const bundle = encodeBundle([Uint8Array.of(1, 2), Uint8Array.of(3, 4)]);
  const { entries, torn } = decodeBundle(bundle.subarray(0, -1));
  assert.deepEqual([entries.length, torn], [1, true]);
});

test('a tile of another length than its place has is refused, whatever of it a proof would read', () => {
  for (const width of [3, 5]) {
    const ranges = rangeHashFromTiles(hasher, 4, () => new Uint8Array(width * 32));
    assert.throws(() => inclusionProof(0, 4, ranges), RangeError, String(width));
  }
});

test('proofs read from tiles are those computed from all leaves, and the dry run names the tiles', () => {
  const leaves = Array.from({ length: 66_000 }, (_, i) => hasher.leaf(Buffer.from(String(i))));
  for (const size of [1, 255, 256, 257, 1000, 65_536, 66_000]) {
    const all = leaves.slice(0, size);
    const tiles = new Map(hashTiles(hasher, all));
    assert.deepEqual(
      [...tiles.keys()].sort(),
      paths(size)
        .filter((path) => !path.includes('entries'))
        .sort(),
    );
    const asked = new Set<string>();
    const source = (level: number, index: number, width: number) => {
      const path = tilePath({ level, index, width });
      asked.add(path);
      return tiles.get(path) ?? new Uint8Array(0);
    };
    const fromTiles = rangeHashFromTiles(hasher, size, source);
    const direct = rangeHashOf(hasher, all);
    for (const index of new Set([0, Math.floor(size / 3), size - 1])) {
      asked.clear();
      assert.deepEqual(hex(inclusionProof(index, size, fromTiles)), hex(inclusionProof(index, size, direct)));
      const foreseen = tilesRead(size, (hashOf) => inclusionProof(index, size, hashOf));
      assert.deepEqual(foreseen.map(tilePath).sort(), [...asked].sort());
      assert.deepEqual(
        hex(consistencyProof(index, size, fromTiles)),
        hex(consistencyProof(index, size, direct)),
      );
    }
  }
});
