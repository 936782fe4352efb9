// Owns the check that a body has one reading: it is what was written, and what two parsers could read differently is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson } from '../parse-json.ts';
import { readJsonBody } from './json-body.ts';
import { locatePaths } from './json-locate.ts';
import { scanJson } from './json-scan.ts';
import { defaultParseLimits, type ParseLimits } from './request-types.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array) => decoder.decode(bytes);
const encode = (text: string) => new TextEncoder().encode(text);
const read = (body: string | Uint8Array, limits: Partial<ParseLimits> = {}) =>
  readJsonBody(typeof body === 'string' ? encode(body) : body, {
    decodeUtf8,
    limits: { ...defaultParseLimits, ...limits },
  });

test('any JSON object without repeated keys is read as it was written, compact or spaced', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue({ noUnicodeString: false })),
      fc.boolean(),
      (value, spaced) => {
        const text = JSON.stringify(value, null, spaced ? 2 : 0);
        if (text.includes('"__proto__"')) return;
        const body = read(text);
        assert.ok(body.kind === 'body', JSON.stringify(body));
        assert.equal(JSON.stringify(body.root), JSON.stringify(value));
      },
    ),
  );
});

test('a member is what its name says, whatever names were in a body before (nodejs/node#63785)', () => {
  const repeated = '{"model":"cheap","m\\u006fdel":"dear"}';
  const hidden = '{"messages":[],"m\\u006fdel":"dear"}';
  for (let i = 0; i < 3; i += 1) {
    for (const first of ['"model":"cheap"', '"messages":[]'])
      for (const name of ['m\\\\u00', 'm\\\\u006fdel'])
        assert.equal(read(`{${first},"${name}":1}`).kind, 'body');
    assert.equal(read(repeated).kind, 'refusal');
    const body = read(hidden);
    assert.deepEqual(body.kind === 'body' ? body.root : body, { messages: [], model: 'dear' });
  }
});

test('text that is no JSON is refused, whatever it is', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json().map((text) => text.slice(0, -1)),
        fc.uint8Array(),
      ),
      (input) => {
        const bytes = typeof input === 'string' ? encode(input) : input;
        const body = readJsonBody(bytes, { decodeUtf8, limits: defaultParseLimits });
        if (body.kind === 'body') assert.deepEqual(body.root, parseJson(decodeUtf8(bytes)));
      },
    ),
    { numRuns: 500 },
  );
});

test('a member repeated in any object, in any spelling, is refused', () => {
  const key = fc.constantFrom('model', 'a', 'é', '', 'content');
  const escaped = (name: string) =>
    `"${[...name].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`;
  fc.assert(
    fc.property(key, fc.nat({ max: 12 }), fc.boolean(), fc.jsonValue(), (name, depth, isEscaped, filler) => {
      const second = isEscaped ? escaped(name) : JSON.stringify(name);
      const inner = `{${JSON.stringify(name)}:1,"z":${JSON.stringify(filler).replaceAll('__proto__', 'p')},${second}:2}`;
      let text = inner;
      for (let i = 0; i < depth; i += 1) text = i % 2 === 0 ? `[0,${text}]` : `{"k":${text}}`;
      assert.equal(read(`{"outer":${text}}`).kind, 'refusal');
    }),
  );
});

test('a colon or a repeated word inside a string is not a key', () => {
  assert.equal(read('{"a":"\\"a\\":1,{}[]","b":"\\\\","c":"a:b"}').kind, 'body');
});

const refused: readonly (readonly [string, string | Uint8Array])[] = [
  ['an array', '[]'],
  ['a bare string', '"x"'],
  ['nothing', ''],
  ['`__proto__`', '{"a":{"__proto__":{}}}'],
  ['`__proto__` in escapes', '{"\\u005f_proto__":1}'],
  ['trailing text', '{} {}'],
  ['a trailing comma', '{"a":1,}'],
  ['a single quote', "{'a':1}"],
  ['NaN', '{"a":NaN}'],
  ['a byte order mark', '\ufeff{}'],
  ['invalid UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ['a surrogate in UTF-8', new Uint8Array([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d])],
  ['an overlong form', new Uint8Array([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d])],
  ['an unclosed string', '{"a":"\\"'],
];
for (const [what, body] of refused) {
  test(`a body with ${what} is refused`, () => {
    assert.equal(read(body).kind, 'refusal');
  });
}

test('bounds hold before anything is parsed', () => {
  assert.equal(read(`{"a":${'['.repeat(70)}`).kind, 'refusal');
  assert.deepEqual(scanJson(encode('['.repeat(5_000_000)), 64, 1e6), { kind: 'too_deep' });
  assert.equal(scanJson(encode(`[${'0,'.repeat(2_000)}0]`), 64, 1_000).kind, 'too_many_values');
  const large = read(`{"a":"${'x'.repeat(100)}"}`, { maxBytes: 50 });
  assert.ok(large.kind === 'refusal' && large.code === 'payload_too_large');
  assert.equal(read(`{"a":${'['.repeat(62)}${']'.repeat(62)}}`).kind, 'body');
});

test('escapes far into a long string do not end it', () => {
  fc.assert(
    fc.property(fc.nat({ max: 60 }), fc.nat({ max: 5 }), fc.boolean(), (filler, slashes, hasQuote) => {
      const inner = `${'x'.repeat(filler)}${'\\'.repeat(slashes)}${hasQuote ? '":1,{["' : ''}${'y'.repeat(filler)}`;
      const scan = scanJson(encode(JSON.stringify({ a: inner, b: [inner] })), 64, 100);
      assert.ok(scan.kind === 'scanned');
      assert.equal(scan.keys, 2);
    }),
  );
});

test('a body of escaped quotes is scanned in linear time', () => {
  const body = encode(JSON.stringify({ a: '"'.repeat(2_000_000), b: '\\'.repeat(2_000_000) }));
  const started = process.hrtime.bigint();
  assert.equal(scanJson(body, 64, 1e6).kind, 'scanned');
  assert.ok(Number(process.hrtime.bigint() - started) / 1e6 < 1_000);
});

test('every value of any body is located where it stands', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), (value, spaced) => {
      const text = JSON.stringify(value, null, spaced ? 1 : 0);
      const paths: (string | number)[][] = [];
      const values: unknown[] = [];
      const visit = (node: unknown, path: (string | number)[]): void => {
        paths.push(path);
        values.push(node);
        if (Array.isArray(node)) for (const [i, item] of node.entries()) visit(item, [...path, i]);
        else if (typeof node === 'object' && node !== null) {
          for (const [key, item] of Object.entries(node)) visit(item, [...path, key]);
        }
      };
      visit(parseJson(text), []);
      const bytes = encode(text);
      const spans = locatePaths(bytes, paths, decodeUtf8);
      spans.forEach((span, i) => {
        assert.ok(span !== undefined);
        assert.deepEqual(parseJson(decodeUtf8(bytes.subarray(span.start, span.end))), values[i]);
      });
    }),
  );
});

test('strings, members and parts are bounded before they are read, and long lists of numbers are not', () => {
  const many = (count: number, one: string) => Array.from({ length: count }, () => one).join(',');
  const keyed = (count: number) => Array.from({ length: count }, (_, i) => `"k${i}":1`).join(',');
  for (const body of [
    `{"a":[${many(150_000, '""')}]}`,
    `{"a":[${many(150_000, '{}')}]}`,
    `{"a":{${keyed(10_001)}}}`,
    `{${keyed(1_001)}}`,
  ])
    assert.equal(read(body).kind, 'refusal');
  for (const body of [
    `{"a":[${many(140_000, '""')}]}`,
    `{"a":[{${keyed(10_000)}},{${keyed(10_000)}}]}`,
    `{${keyed(1_000)}}`,
    `{"model":"m","input":[${many(300_000, '50256')}]}`,
    `{"model":"m","input":[${many(2_048, `[${many(146, '7')}]`)}]}`,
  ])
    assert.equal(read(body).kind, 'body');
});
