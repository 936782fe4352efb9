// Tests that names in JSON are read as they are written, whatever was parsed before: nodejs/node#63785.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasEscapedName, parseJson } from './parse-json.ts';

const names = (value: unknown): readonly string[] => Object.keys(Object(value));

test('a name with an escape is not taken for one of an object before (nodejs/node#63785)', () => {
  for (const [before, name] of [
    ['m\\u00', '"m\\u006fdel"'],
    ['mode\\', '"mode\\u006c"'],
    ['\\', '"\\""'],
    ['a\\n', '"a\\nb"'],
  ] as const) {
    for (let i = 0; i < 3; i += 1) {
      parseJson(`{"x${name.length}":1,${JSON.stringify(before)}:1}`);
      const trained: unknown = JSON.parse(`{"x${name.length}":1,${JSON.stringify(before)}:1}`);
      assert.deepEqual(names(trained), [`x${name.length}`, before]);
      const read = parseJson(`{"x${name.length}":1,${name}:{"y":1,${name}:2}}`);
      const expected: unknown = JSON.parse(name);
      assert.deepEqual(names(read), [`x${name.length}`, expected]);
      assert.deepEqual(names(Object.values(Object(read))[1]), ['y', expected]);
    }
  }
});

/** JSON text with every spelling that the grammar has: escapes, also needless ones, and white space. */
const spelled = (value: unknown, escapes: (unit: string) => string, space: string): string => {
  const text = (plain: string) =>
    `"${[...plain].map((one) => (one === '"' || one === '\\' || one < ' ' ? JSON.stringify(one).slice(1, -1) : escapes(one))).join('')}"`;
  if (typeof value === 'string') return text(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = Array.isArray(value)
    ? value.map((one) => spelled(one, escapes, space))
    : Object.entries(value).map(
        ([name, one]) => `${text(name)}${space}:${space}${spelled(one, escapes, space)}`,
      );
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${space}${open}${space}${inner.join(`${space},${space}`)}${space}${close}${space}`;
};
const unit = fc.constantFrom(...'"\\:{}[], \n/abu0é😀');
const key = fc.string({ unit, maxLength: 6 });

test('every value is read as it was written, in any spelling and with any white space', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ stringUnit: unit }),
      fc.dictionary(key, fc.array(fc.dictionary(key, key))),
      fc.boolean(),
      fc.constantFrom('', ' ', '\n\t\r '),
      (one, other, isEscaping, space) => {
        const written = (text: string) =>
          isEscaping && text < 'b' ? `\\u${text.charCodeAt(0).toString(16).padStart(4, '0')}` : text;
        const value = { one, other: { ...other } };
        const read = parseJson(spelled(value, written, space));
        assert.equal(JSON.stringify(read), JSON.stringify(value));
      },
    ),
  );
});

test('a repeated name has its last value, `__proto__` is a name, and numbers of members come first', () => {
  assert.deepEqual(parseJson('{"a":1,"b":2,"\\u0061":3}'), { a: 3, b: 2 });
  assert.deepEqual(names(parseJson('{"__pro\\u0074o__":1,"b":2,"1":3}')), ['1', '__proto__', 'b']);
});

test('what is no JSON throws, with names with escapes too', () => {
  for (const text of [
    '',
    '{',
    '{"\\n":}',
    '{"\\n":1,}',
    '{"\\n":01}',
    '{"\\x":1}',
    '["\\n":1]',
    '{"\\n":1}x',
  ])
    assert.throws(() => parseJson(text), SyntaxError, text);
});

test('a name with an escape is seen, and a string that looks like one is not', () => {
  for (const text of ['{"\\n":1}', '{"a":{"b\\u0061" \n:1}}', '["\\\\",{"\\"":1}]'])
    assert.ok(hasEscapedName(text), text);
  for (const text of [
    '{"a":"\\":"}',
    '{"a":"{\\"b\\":1}"}',
    '["\\\\"]',
    '{"a":"\\\\","b":1}',
    '{"a:":1}',
    '',
  ])
    assert.ok(!hasEscapedName(text), text);
});

test('a name with an escape is read however deep what follows is', () => {
  const levels = 30_000;
  let value = parseJson(`{"m\\u006fdel":${'['.repeat(levels)}${']'.repeat(levels)}}`);
  assert.deepEqual(names(value), ['model']);
  value = Object.values(Object(value))[0];
  let depth = 0;
  for (; Array.isArray(value); value = value[0]) depth += 1;
  assert.equal(depth, levels);
});

test('a long run of backslashes, quotes, digits or white space is read in linear time', () => {
  const began = performance.now();
  for (const run of ['\\\\', '\\"', '\\n", "'])
    parseJson(`{"a":["${run.repeat(300_000)}"],"\\n":"${'\\\\'.repeat(300_000)}"}`);
  parseJson(`{"\\n":[${'1'.repeat(1_000_000)},${' '.repeat(1_000_000)}${'1,'.repeat(300_000)}1]}`);
  assert.ok(performance.now() - began < 3_000);
});
