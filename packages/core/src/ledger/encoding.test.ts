// Tests that base64 and hex have one spelling, and agree with another implementation.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromBase64, fromHex, toBase64, toHex } from './encoding.ts';

test('base64 and hex agree with another implementation and come back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      assert.equal(toBase64(bytes), Buffer.from(bytes).toString('base64'));
      assert.equal(toHex(bytes), Buffer.from(bytes).toString('hex'));
      assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
      assert.deepEqual(fromHex(toHex(bytes)), bytes);
    }),
  );
});

test('no second spelling of the same bytes is read', () => {
  for (const text of [
    'QQ',
    'QQ=',
    'QR==',
    'QUJ=',
    'QQ==\n',
    ' QQ==',
    'Q Q=',
    'QQ==QQ==',
    'Q_==',
    '=',
    '====',
  ]) {
    assert.equal(fromBase64(text), undefined, text);
  }
  for (const text of ['0', 'AB', '0x', 'g0']) assert.equal(fromHex(text), undefined, text);
});

test('every base64 text that is read is the one that would be written', () => {
  const chars = fc.constantFrom(...'ABQRgwz019+/=');
  fc.assert(
    fc.property(fc.string({ unit: chars, maxLength: 12 }), (text) => {
      const bytes = fromBase64(text);
      if (bytes !== undefined) assert.equal(toBase64(bytes), text);
    }),
    { numRuns: 5000 },
  );
});
