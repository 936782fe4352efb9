// Owns the proof that disguised text is read as ASCII and that offsets lead back to the original.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createTextReader, type Normal, normalise, originalSpan } from './normalise.ts';
import { findSpans, replaceSpans } from './redact.ts';

const spelled = ({ units }: Normal): string =>
  Array.from(units, (unit) => String.fromCharCode(unit)).join('');

function assertUntouched(text: string): void {
  const normal = normalise(text);
  assert.deepEqual([normal.text, normal.origin, spelled(normal)], [text, undefined, text]);
}

test('text with nothing to change is the same string, without a map', () => {
  for (const text of ['', 'plain', 'größer 会议 😀', 'a\tb\nc']) {
    assertUntouched(text);
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

test('controls, private use, noncharacters and what has no width part no letters', () => {
  const hidden = [
    '\0',
    '\u0007',
    '\b',
    '\u007f',
    '\u0085',
    '\u009b',
    '\u00ad',
    '\u0600',
    '\u180f',
    '\u200b',
    '\u2800',
  ]
    .concat([
      '\ue000',
      '\ufdd0',
      '\ufff0',
      '\ufff9',
      '\ufffc',
      '\uffff',
      '\u{110bd}',
      '\u{13430}',
      '\u{1bca0}',
    ])
    .concat(['\u{1d173}', '\u{1fffe}', '\u{e0001}', '\u{e0fff}', '\u{f0000}', '\u{10fffd}']);
  for (const one of hidden) {
    const text = `SE${one}CR${one}${one}ET`;
    const normal = normalise(text);
    assert.equal(normal.text, 'SECRET', one.codePointAt(0)?.toString(16));
    assert.deepEqual(originalSpan(text, normal, 0, 6), [0, text.length]);
  }
  assert.equal(normalise('a\tb\r\nc').text, 'a\tb\r\nc');
});

test('combining marks vanish after ASCII, and stay where a script is written with them', () => {
  for (const one of ['\u0301', '\u0336', '\u0489', '\u20dd', '\u093c', '\ufe20'])
    assert.equal(normalise([...'SECRET'].map((letter) => letter + one).join('')).text, 'SECRET');
  for (const text of ['हिन्दी', 'ไทยนี้', 'عَرَبِيّ']) assertUntouched(text);
});

test('circled, squared, bracketed, old and lettered forms become letters', () => {
  for (const [text, expected] of [
    ['ⓈⒺⒸⓇⒺⓉ', 'SECRET'],
    ['\u{1f142}\u{1f134}\u{1f132}', 'SEC'],
    ['\u{1f162}\u{1f182}\u{1f112}\u{1f1f8}', 'SSCS'],
    ['\u212a\u017fⓚ⒦ℂⅭⅯ', 'KskkCCM'],
    ['CUI\u2215\u2044SP', 'CUI//SP'],
    ['s\u212a-A\u212aIA', 'sk-AKIA'],
  ] as const)
    assert.equal(normalise(text).text, expected);
});

test('look-alikes become ASCII in words that have ASCII in them, and words of one script stay as they are', () => {
  for (const [text, expected] of [
    ['sk-аnt', 'sk-ant'],
    ['ѕк-ant', 'sk-ant'],
    ['АKIA7', 'AKIA7'],
    ['СUI//SP-CTI', 'CUI//SP-CTI'],
    ['SΕCRΕT', 'SECRET'],
    ['а\u0301pі_key', 'api_key'],
    ['привет sеcret мир', 'привет secret мир'],
  ] as const)
    assert.equal(normalise(text).text, expected);
  for (const text of ['Секретно, а потом', 'Ελληνικά και ΑΒΓ', 'Հայերեն']) assertUntouched(text);
});

test('what is disguised is cut out whole', () => {
  for (const address of [
    'bo\u0007b@exаmple.com',
    'b\u0336ob@example.com',
    'ⓑob@example.ⓒom',
    '\u{1d41b}ob@example.com',
  ]) {
    const text = `говорит ${address} и 😀`;
    const { spans } = findSpans(text, ['email'], undefined);
    assert.equal(replaceSpans(text, spans), 'говорит [email] и 😀');
  }
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
  '\u0301',
  '\u{1f130}',
  'ⓐ',
  '\u0007',
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
      fc.pre(text.isWellFormed());
      assert.equal(normalise(once).text, once);
    }),
  );
});

test('a reader reads each text as if it were its first, whatever it has read before', () => {
  const encoder = new TextEncoder();
  const read = createTextReader((text, into) => encoder.encodeInto(text, into).read);
  const pieces = [
    'a',
    'B',
    '7',
    ' ',
    '\u0000',
    '\u007f',
    'é',
    'а',
    '\u200b',
    '会',
    '\ud83d',
    '\ude00',
    '\ud800',
  ];
  const piece = fc.constantFrom(...pieces);
  const long = fc.constantFrom('', 'x'.repeat(300), 'y'.repeat(70_000), `${'z'.repeat(70_000)}é`);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), long, (some, rest) => {
      const text = some.join('') + rest;
      const [once, again] = [normalise(text), read(text)];
      assert.deepEqual(again.origin, once.origin);
      assert.equal(again.text, once.text);
      assert.equal(spelled(again), once.text);
      assert.equal(spelled(once), once.text);
    }),
    { numRuns: 300 },
  );
});
