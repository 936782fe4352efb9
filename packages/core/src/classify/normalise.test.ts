// Owns the proof that disguised text is read as ASCII and that offsets lead back to the original.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalise, originalSpan } from './normalise.ts';

test('text with nothing to change is the same string, without a map', () => {
  for (const text of ['', 'plain', 'größer 会议 😀', 'a\tb\nc']) {
    assert.deepEqual(normalise(text), { text, origin: undefined });
  }
});

test('invisible characters vanish, disguised ones become ASCII', () => {
  const cases = [
    ['4\u200b1\u200c1\u2060\ufeff1\u00ad', '4111'],
    ['\uff21\uff22\uff20\uff10', 'AB@0'],
    ['\u0661\u06f2\u0969\u0e54', '1234'],
    ['\u00b9\u2074\u2085', '145'],
    ['1\u20102\u22123\u20144', '1-2-3-4'],
    ['a\u00a0b\u3000c', 'a b c'],
    ['a\u3002b', 'a.b'],
    ['\u{1d7d8}\u{1d7ff}\u{1d400}\u{1d41a}', '09Aa'],
    ['a\u{e0041}\u{e0100}b\ufe0f', 'ab'],
    ['\u202e123\u2066', '123'],
  ] as const;
  for (const [text, expected] of cases) assert.equal(normalise(text).text, expected);
});

test('lone surrogates pass unchanged', () => {
  for (const text of ['\ud835', '\ud835x\u200b', '\udb40', 'a\udc00\u200b', '\ud835\ud835\u200b']) {
    assert.equal(normalise(text).text, text.replace('\u200b', ''));
  }
});

const piece = fc.constantFrom(
  '4',
  'a',
  '\u200b',
  '\uff11',
  '\u{1d7ce}',
  '\u{e0041}',
  '😀',
  'é',
  '\u3002',
  '\ud835',
  ' ',
);

test('a span of the reading form covers what it was read from, in order', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('');
      const normal = normalise(text);
      let last = 0;
      for (let i = 0; i < normal.text.length; i += 1) {
        const [start, end] = originalSpan(text, normal, i, i + 1);
        assert.ok(start >= last && end > start && end <= text.length);
        assert.ok(normalise(text.slice(start, end)).text.includes(normal.text.charAt(i)));
        last = start;
      }
    }),
  );
});

test('normalising twice changes nothing more', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const once = normalise(text).text;
      // A removed character may leave two halves of a pair side by side, which then are one character.
      fc.pre(!/[\ud835\udb40]/.test(once));
      assert.equal(normalise(once).text, once);
    }),
  );
});
