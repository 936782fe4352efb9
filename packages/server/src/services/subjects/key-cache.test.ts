// Claims about subjects' keys in memory: one that is forgotten stays forgotten, and an id opens nothing elsewhere.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeId } from '@countersign/core/ids';
import { createSubjectKeys } from './key-cache.ts';

const acme = makeId('org', 1, new Uint8Array(10));
const other = makeId('org', 2, new Uint8Array(10));
const people = [1, 2, 3].map((n) => makeId('user', n, new Uint8Array(10)));
const [bob = makeId('user', 9, new Uint8Array(10))] = people;

/** A store that answers when the test lets it; `erased` has no key any more. */
function open(maxKeys = 10) {
  const erased = new Set<string>();
  const answers: (() => void)[] = [];
  let loads = 0;
  const keys = createSubjectKeys({
    opener: { open: () => new Uint8Array(32) },
    load: async (orgId, id) => {
      loads += 1;
      const found = orgId !== acme || erased.has(id) ? undefined : new Uint8Array(1);
      await new Promise<void>((resolve) => answers.push(resolve));
      return found;
    },
    maxKeys,
  });
  const answer = (): void => {
    for (const one of answers.splice(0)) one();
  };
  return { keys, erased, answer, loads: () => loads };
}

test('a key that is forgotten while it is being loaded is not remembered: its subject was erased meanwhile', async () => {
  const { keys, erased, answer, loads } = open();
  const first = keys.get(acme, bob);
  erased.add(bob);
  keys.forget(acme, bob);
  answer();
  await first;
  const again = keys.get(acme, bob);
  assert.ok(again instanceof Promise, 'it is not in memory');
  answer();
  assert.equal(await again, undefined);
  assert.equal(loads(), 2);
});

test('nor is it remembered where its subject was asked for again before it came', async () => {
  const { keys, erased, answer } = open();
  const before = keys.get(acme, bob);
  erased.add(bob);
  keys.forget(acme, bob);
  const after = keys.get(acme, bob);
  answer();
  await before;
  assert.equal(await after, undefined);
  const again = keys.get(acme, bob);
  assert.ok(again instanceof Promise, 'it is not in memory');
  answer();
  assert.equal(await again, undefined);
});

test('a key in memory is gone when it is forgotten, and another organization forgets nothing of it', async () => {
  const { keys, erased, answer, loads } = open();
  const [one, two] = [keys.get(acme, bob), keys.get(acme, bob)];
  answer();
  assert.equal(await one, await two);
  assert.equal(loads(), 1, 'who waits for the same key waits for one load');
  keys.forget(other, bob);
  assert.equal(keys.get(acme, bob), await one);
  erased.add(bob);
  keys.forget(acme, bob);
  const again = keys.get(acme, bob);
  answer();
  assert.equal(await again, undefined);
});

test('an id that is in memory for one organization opens nothing for another', async () => {
  const { keys, answer } = open();
  const own = keys.get(acme, bob);
  answer();
  assert.ok((await own) !== undefined);
  const foreign = keys.get(other, bob);
  answer();
  assert.equal(await foreign, undefined);
});

test('no more keys are in memory than may be', async () => {
  const { keys, answer } = open(2);
  for (const id of people) {
    const got = keys.get(acme, id);
    answer();
    await got;
  }
  const inMemory = people.filter((id) => !(keys.get(acme, id) instanceof Promise));
  answer();
  assert.equal(inMemory.length, 2);
});
