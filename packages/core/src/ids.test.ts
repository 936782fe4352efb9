// Tests that ids say what they are, sort by time, and carry their milliseconds.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { isEntryId, isId, makeEntryId, makeId, makeRequestId } from './ids.ts';

test('an id of one kind is not an id of another', () => {
  const user = makeId('user', 1_763_769_600_000, randomBytes(10));
  assert.ok(isId('user', user));
  assert.ok(!isId('service', user));
  assert.ok(!isId('user', `${user}0`));
  assert.ok(!isId('user', user.toUpperCase()));
});

test('ids sort by their time of creation', () => {
  const random = randomBytes(10);
  assert.ok(makeId('key', 1, random) < makeId('key', 2, random));
  assert.ok(makeEntryId(1_000, random) < makeEntryId(2_000, random));
});

test('an entry id is a UUIDv7 that carries its milliseconds', () => {
  const id = makeEntryId(0x0190_1234_5678, randomBytes(10));
  assert.ok(isEntryId(id));
  assert.equal(id.slice(0, 13), '01901234-5678');
});

test('request ids carry their own prefix', () => {
  assert.match(makeRequestId(1, randomBytes(10)), /^req_[0-9a-z]{26}$/);
});
