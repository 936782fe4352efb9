// Tests canonical JSON against a reference library and the samples of RFC 8785.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { parseJson } from '../parse-json.ts';
import { canonicalJson, fragment, fragmentObject, maxDepth, quote, utf8Length } from './canonical.ts';

const wellFormed = fc.string({ unit: 'binary', maxLength: 12 });
const { value: recorded } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    wellFormed,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(wellFormed, tie('value'), { maxKeys: 4 }),
  ),
}));

test('canonical JSON is what the reference library writes', () => {
  fc.assert(
    fc.property(recorded, (value) => canonicalJson(value) === canonicalize(value)),
    { numRuns: 2000 },
  );
});

test('the RFC 8785 sorting sample keeps its order', () => {
  const sample = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
  const order = ['\\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33'];
  assert.deepEqual(
    [...canonicalJson(sample).matchAll(/"([^"]+)":/g)].map(([, name]) => name),
    order,
  );
});

test('lone surrogates become U+FFFD and each is counted', () => {
  let count = 0;
  const text = canonicalJson({ a: '\ud800x\udc00', '\udfff': '\ud83d\ude00' }, (n) => {
    count += n;
  });
  assert.equal(text, '{"a":"\ufffdx\ufffd","\ufffd":"\ud83d\ude00"}');
  assert.equal(count, 3);
});

test('names that become one name are refused', () => {
  assert.throws(() => canonicalJson({ '\ud800': 1, '\ud801': 2 }), TypeError);
});

test('numbers that are not safe integers are refused', () => {
  for (const value of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 53)]) {
    assert.throws(() => canonicalJson({ value }), RangeError);
  }
  assert.equal(canonicalJson([-0, 2 ** 53 - 1]), '[0,9007199254740991]');
});

test('what is not JSON is refused', () => {
  for (const value of [1n, Symbol('x'), () => 1, [undefined]])
    assert.throws(() => canonicalJson(value), TypeError);
});

test('a value nests as deep as its bound says, and no deeper', () => {
  const nested = (levels: number, inner: unknown): unknown =>
    levels === 0 ? inner : nested(levels - 1, levels % 2 === 0 ? [inner] : { a: inner });
  assert.equal(canonicalJson(nested(maxDepth, 1)).match(/[[{]/g)?.length, maxDepth);
  assert.throws(() => canonicalJson(nested(maxDepth + 1, 1)), RangeError);
  assert.throws(() => canonicalJson(nested(maxDepth, [])), RangeError);
});

test('a member named __proto__ is recorded like any other', () => {
  assert.equal(canonicalJson(parseJson('{"__proto__":{"x":1},"a":2}')), '{"__proto__":{"x":1},"a":2}');
});

test('joined fragments are the whole value, and unsorted ones are refused', () => {
  const joined = fragmentObject([
    ['a', fragment([1])],
    ['b"', fragment('x')],
  ]);
  assert.equal(joined.canonical, canonicalJson({ a: [1], 'b"': 'x' }));
  assert.throws(
    () =>
      fragmentObject([
        ['b', joined],
        ['a', joined],
      ]),
    RangeError,
  );
  assert.throws(
    () =>
      fragmentObject([
        ['a', joined],
        ['a', joined],
      ]),
    RangeError,
  );
});

test('the counted UTF-8 length is the encoded one, also with lone surrogates', () => {
  const any = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((u) => String.fromCharCode(u)) });
  fc.assert(
    fc.property(any, (text) => utf8Length(text) === Buffer.byteLength(text)),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(wellFormed, (text) => utf8Length(text) === Buffer.byteLength(text)),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(any, (text) => parseJson(quote(text)) === text.toWellFormed()),
    { numRuns: 500 },
  );
});
