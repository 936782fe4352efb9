// Owns the claims about the written form of virtual keys.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeId } from '../ids.ts';
import { formatKey, hasGoodChecksum, parseKey } from './key-format.ts';

const id = makeId(
  'key',
  1_760_000_000_000,
  Uint8Array.from({ length: 10 }, (_, i) => i * 17),
);
const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('a key names its id, passes its checksum and has one length whatever its random bytes', () => {
  const length = formatKey(id, new Uint8Array(32)).length;
  fc.assert(
    fc.property(bytes, (random) => {
      const text = formatKey(id, random);
      assert.match(text, /^csk_[0-9a-z]{26}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/);
      assert.equal(text.length, length);
      assert.equal(parseKey(text), id);
      assert.equal(hasGoodChecksum(text), true);
    }),
  );
});

test('different random bytes give different keys', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      assert.equal(formatKey(id, a) === formatKey(id, b), Buffer.compare(a, b) === 0);
    }),
  );
});

test('one mistyped character anywhere fails the form or the checksum', () => {
  const text = formatKey(id, randomBytes(32));
  for (let i = 0; i < text.length; i += 1) {
    const other = text[i] === '1' ? '2' : '1';
    const mistyped = text.slice(0, i) + other + text.slice(i + 1);
    assert.equal(parseKey(mistyped) !== undefined && hasGoodChecksum(mistyped), false, `character ${i}`);
  }
});

test('two neighbours swapped fail the checksum', () => {
  const text = formatKey(
    id,
    Uint8Array.from({ length: 32 }, (_, i) => i * 7 + 3),
  );
  for (let i = 4; i + 1 < text.length; i += 1) {
    const [a, b] = [text.charAt(i), text.charAt(i + 1)];
    if (a === b || a === '_' || b === '_') continue;
    assert.equal(hasGoodChecksum(text.slice(0, i) + b + a + text.slice(i + 2)), false, `characters ${i}`);
  }
});

test('texts that are no key name nothing, and neither check throws', () => {
  const text = formatKey(id, new Uint8Array(32));
  for (const other of ['', 'csk_', `${text} `, ` ${text}`, `${text}\n`, text.toUpperCase(), text.slice(1)]) {
    assert.equal(parseKey(other), undefined, JSON.stringify(other));
  }
  assert.equal(parseKey(text.replace('csk_', 'csk_i')), undefined);
  fc.assert(
    fc.property(fc.string(), (random) => {
      assert.equal(parseKey(random), undefined);
      hasGoodChecksum(random);
    }),
  );
});

test('a key is made of 32 random bytes and no other number', () => {
  for (const length of [0, 31, 33]) {
    assert.throws(() => formatKey(id, new Uint8Array(length)), RangeError);
  }
});
