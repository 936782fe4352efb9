// Checks that an origin names its owner, and that each log in a row has its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextOrigin, ownerOfOrigin } from './origin.ts';

test('each log in a row has an origin of its own, and the same owner', () => {
  const first = 'gateway.test:7070/org_01';
  const second = nextOrigin(first);
  const third = nextOrigin(second);
  assert.deepEqual([second, third], [`${first}/2`, `${first}/3`]);
  for (const origin of [first, second, third]) assert.equal(ownerOfOrigin(origin), 'org_01');
  assert.equal(ownerOfOrigin('gateway.test'), undefined);
  assert.equal(nextOrigin(second, 7), `${first}/8`, 'a number that a lost log had is not given again');
});
