// Owns the claims about copying: the same bytes arrive, and no others change, whichever memory they lie in.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { copyInto } from './copy.ts';

const made = [
  (bytes: number) => Buffer.alloc(bytes),
  (bytes: number) => Buffer.from(new SharedArrayBuffer(bytes)),
];

test('bytes of any part arrive at any place, in memory that is shared or not', () => {
  const pieces = fc.record({
    bytes: fc.uint8Array({ maxLength: 200 }),
    before: fc.nat(9),
    at: fc.nat(9),
    after: fc.nat(9),
  });
  fc.assert(
    fc.property(pieces, ({ bytes, before, at, after }) => {
      for (const from of made)
        for (const to of made) {
          const source = from(before + bytes.length + after);
          source.set(bytes, before);
          const target = to(at + bytes.length + after);
          copyInto(target, at, new Uint8Array(source.buffer, source.byteOffset + before, bytes.length));
          assert.deepEqual([...target], [...Buffer.alloc(at), ...bytes, ...Buffer.alloc(after)]);
        }
    }),
  );
});
