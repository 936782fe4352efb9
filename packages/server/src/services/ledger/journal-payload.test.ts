// Owns the claims about the payload of a frame: what was put in comes out, and batches are joined where they meet.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeEntryId, makeId } from '@countersign/core/ids';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { createJoiner, decodePayload, encodePayload, type PlacedBatch } from './journal-payload.ts';

const ten = new Uint8Array(10);
const orgId = makeId('org', 1_800_000_000_000, ten);
const other = makeId('org', 1_800_000_000_001, ten);
const subjectId = makeId('user', 1_800_000_000_000, ten);
const entryId = makeEntryId(1_800_000_000_000, ten);

function batch(at: number, texts: readonly string[], values: Partial<PlacedBatch> = {}): PlacedBatch {
  const bundle = Buffer.from(encodeBundle(texts.map((text) => Buffer.from(text, 'utf8'))));
  return { orgId, at, count: texts.length, bundle, sidecars: [], objects: [], ...values };
}

const sealed = (position: number, ...bytes: number[]) => ({
  position,
  value: { entryId, purpose: 'request', subjectId, sealed: Buffer.from(bytes) },
});

test('a payload holds its batches with what lies beside them', () => {
  const batches = [
    batch(7, ['one', 'zwölf']),
    batch(0, ['x'], { orgId: other, sidecars: [sealed(0, 1, 2, 3), sealed(0)] }),
  ];
  assert.deepEqual(decodePayload(Buffer.concat(encodePayload(batches))), batches);
});

function joinAll(batches: readonly PlacedBatch[]) {
  const joiner = createJoiner();
  batches.forEach(joiner.add);
  return joiner.joined(Buffer.alloc);
}

test('batches of a log that follow each other become one, with the places of what lies beside them', () => {
  const joined = joinAll([
    batch(3, ['a', 'b']),
    batch(0, ['x'], { orgId: other }),
    batch(5, ['c'], { sidecars: [sealed(0, 9)] }),
  ]);
  const [first, ...more] = joined.get(orgId) ?? [];
  assert.equal(more.length, 0);
  assert.equal(first?.at, 3);
  assert.deepEqual(first?.versions, [-1, -1, -1]);
  assert.deepEqual(Buffer.from(first.bundle), Buffer.from(batch(3, ['a', 'b', 'c']).bundle));
  assert.deepEqual(
    first?.sidecars.map(({ position }) => position),
    [2],
  );
  assert.equal(joined.get(other)?.length, 1);
});

test('a batch that does not follow is not joined, so that its place is held to the log', () => {
  const parts = joinAll([batch(3, ['a', 'b']), batch(5_000, ['c'])]).get(orgId) ?? [];
  assert.deepEqual(
    parts.map(({ at }) => at),
    [3, 5_000],
  );
});

test('a payload of another form is refused', () => {
  const text = Buffer.from('{"format":2,"batches":[]}', 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  assert.throws(() => decodePayload(Buffer.concat([length, text])), { code: 'internal' });
});
