// Owns the claims about an arena: pieces that are taken do not touch, and there is always another.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createArena } from './arena.ts';

test('what is taken is as long as was asked, and keeps its bytes until the arena is reset', () => {
  const sizes = fc.array(fc.array(fc.nat(600), { maxLength: 12 }), { maxLength: 5 });
  fc.assert(
    fc.property(sizes, (rounds) => {
      const arena = createArena(1_000);
      for (const round of rounds) {
        const pieces = round.map((size, i) => arena.take(size).fill(i));
        for (const [i, piece] of pieces.entries()) {
          assert.equal(piece.length, round[i]);
          assert.ok(piece.every((byte) => byte === i));
        }
        arena.reset();
      }
    }),
  );
});
