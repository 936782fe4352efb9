// Claims that a body is changed where it was meant to be and nowhere else, or not sent at all.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applySplices, remainderOf, type Splice, spliceRedactions } from './splice.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array) => decoder.decode(bytes);
const encodeUtf8 = (text: string) => new TextEncoder().encode(text);
const utf8 = { decodeUtf8, encodeUtf8 };

const splice = (offset: number, removed: number, text = '-'): Splice => ({
  purpose: 'redaction',
  offset,
  removed,
  text,
});

test('splices that overlap or leave the body are refused, whatever their order', () => {
  const body = encodeUtf8('0123456789');
  const applied = (...splices: readonly Splice[]) =>
    decodeUtf8(applySplices(body, splices, encodeUtf8).bytes);
  assert.equal(applied(splice(6, 2), splice(0, 3), splice(3, 0, 'é')), '-é345-89');
  for (const splices of [
    [splice(0, 3), splice(2, 1)],
    [splice(2, 1), splice(0, 3)],
    [splice(8, 3)],
    [splice(11, 0)],
    [splice(0, -1)],
    [splice(-1, 1)],
  ])
    assert.throws(() => applied(...splices), RangeError, JSON.stringify(splices));
});

test('what leads to no string of the body redacts nothing, so that nothing is sent', () => {
  const body = encodeUtf8('{"a":["x",1,{"b":"y"},null]}');
  const redacted = (...paths: readonly (readonly (string | number)[])[]) => {
    const splices = spliceRedactions(
      body,
      paths.map((path) => ({ path, text: '["z"]' })),
      utf8,
    );
    return splices && decodeUtf8(applySplices(body, splices, encodeUtf8).bytes);
  };
  assert.equal(redacted(['a', 0], ['a', 2, 'b']), '{"a":["[\\"z\\"]",1,{"b":"[\\"z\\"]"},null]}');
  assert.equal(redacted(['a', 0], ['a', 0]), '{"a":["[\\"z\\"]",1,{"b":"y"},null]}');
  for (const path of [['a'], ['a', 1], ['a', 2], ['a', 3], ['a', 4], ['b'], []])
    assert.equal(redacted(['a', 0], path), undefined, JSON.stringify(path));
});

test('a part whose text does not hold every member of the body has no remainder', () => {
  assert.equal(remainderOf('{"a":["x",{"b":"y"}],"c":5}', ['1', '2']), '{"a":["1",{"b":"2"}],"c":5}');
  for (const text of ['{"a":"x","a":"y"}', '{"a": "x"}', '{"a":1.0}'])
    assert.equal(remainderOf(text, ['1', '2']), undefined, text);
});
