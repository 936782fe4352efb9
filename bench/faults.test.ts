// Tests how the long tests are run and judged: less than asked, a failure or no figures is an error, never a pass.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countFaults, type FaultFigures, faultsText, isWholeCount, judgeFaults } from './faults.ts';
import { readOptions } from './options.ts';

const good: FaultFigures = {
  kills: {
    kills: 1_000,
    asked: 250_000,
    answered: 240_000,
    dispatched: 245_000,
    intents: 246_000,
    orphans: 6_000,
    lost: 0,
    entries: 492_010,
    startP50Ms: 950,
    startMaxMs: 1_400,
  },
  interleavings: { interleavings: 10_000, late: 0, allowed: 5_000, cut: 1, refused: 7_499, stale: 7_000 },
};
const counts = { kills: 1_000, interleavings: 10_000 };

function printed(figures: FaultFigures): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(figures).map(([name, values]) => [
      name,
      `✔ a test\nℹ ${JSON.stringify({ figures: name, ...values })}\n`,
    ]),
  );
}

const runOf =
  (outputs: Readonly<Record<string, string>>) =>
  async ({ name }: { readonly name: string }): Promise<string> =>
    outputs[name] ?? '';

const missed = (figures: FaultFigures): readonly string[] =>
  judgeFaults(figures).flatMap(({ target, verdict }) => (verdict === 'pass' ? [] : [target.id]));

test('both tests are told how many times', async () => {
  const told: unknown[] = [];
  const outputs = printed(good);
  const figures = await countFaults(async ({ name, env }) => {
    told.push(env);
    return outputs[name] ?? '';
  }, counts);
  assert.deepEqual(figures, good);
  assert.deepEqual(told, [{ COUNTERSIGN_INTERLEAVINGS: '10000' }, { COUNTERSIGN_KILLS: '1000' }]);
});

test('a test without its figures is an error, and so is one that fails', async () => {
  for (const name of ['kills', 'interleavings']) {
    const silent = runOf({ ...printed(good), [name]: '✔ a test\n' });
    await assert.rejects(countFaults(silent, counts), new RegExp(`figures of \`${name}\``));
    const failing = async (asked: { readonly name: string }): Promise<string> => {
      if (asked.name === name) throw new Error(`${name} failed`);
      return printed(good)[asked.name] ?? '';
    };
    await assert.rejects(countFaults(failing, counts), new RegExp(`${name} failed`));
  }
});

test('a test that did less than it was asked for is an error', async () => {
  const { kills, interleavings } = good;
  const fewKills = printed({ ...good, kills: { ...kills, kills: 999 } });
  await assert.rejects(countFaults(runOf(fewKills), counts), /999 kills/);
  const fewRaces = printed({ ...good, interleavings: { ...interleavings, interleavings: 600 } });
  await assert.rejects(countFaults(runOf(fewRaces), counts), /600 interleavings/);
});

test('each target is missed by its own figures alone', () => {
  const { kills, interleavings } = good;
  assert.deepEqual(missed(good), []);
  assert.deepEqual(missed({ ...good, kills: { ...kills, lost: 1 } }), ['lost']);
  assert.deepEqual(missed({ ...good, kills: { ...kills, startMaxMs: 5_100 } }), ['start']);
  assert.deepEqual(missed({ ...good, interleavings: { ...interleavings, late: 1 } }), ['late']);
});

test('the section tells what was counted, and a miss', () => {
  const figures = { ...good, kills: { ...good.kills, lost: 3 } };
  const machine = {
    cpu: 'a processor',
    cores: 2,
    memoryGiB: 24,
    system: 'linux',
    node: 'v24',
    date: '2026-11-28T00:00:00.000Z',
    commit: 'abc',
  };
  const text = faultsText({ ...figures, machine }, judgeFaults(figures));
  assert.match(
    text,
    /250,000 calls asked, .*240,000 answered, .*6,000 orphans closed, 492,010 entries verified/,
  );
  assert.match(text, /1,000 times: calls lost.*\| +3 \| count \| miss/);
  assert.match(text, /median 950 ms, longest 1,400 ms/);
});

test('only the whole counts may stand in the results', () => {
  assert.equal(isWholeCount(readOptions(['--faults'])), true);
  assert.equal(isWholeCount(readOptions(['--faults', '--kills', '999'])), false);
  assert.equal(isWholeCount(readOptions(['--faults', '--interleavings', '9996'])), false);
  assert.equal(isWholeCount(readOptions(['--faults', '--quick'])), false);
  assert.throws(() => readOptions(['--faults', '--kills', '0']), /--kills must be/);
  assert.throws(() => readOptions(['--faults', '--interleavings', '1.5']), /whole/);
  assert.throws(() => readOptions(['--kills', '20']), /belong to --faults/);
});
