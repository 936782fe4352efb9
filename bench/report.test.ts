// Tests what the results say, and that one question's answer does not erase another's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeId } from '@countersign/core/ids';
import { chosen, readOptions } from './options.ts';
import { hottest } from './profile.ts';
import { verdictTable, withSection } from './report.ts';
import { policyText } from './seed/policy-text.ts';
import { partChanges } from './seed/store.ts';
import { judgeSoak } from './soak.ts';
import { judge } from './targets.ts';

test('a section is replaced and its neighbours stay', () => {
  const one = withSection('# Title\n\nIntro.\n', 'Speed', 'fast');
  const two = withSection(one, 'Memory', 'flat');
  const three = withSection(two, 'Speed', 'faster');
  assert.equal(three, '# Title\n\nIntro.\n\n## Speed\n\nfaster\n\n## Memory\n\nflat\n');
});

test('writing the same section twice changes nothing', () => {
  const once = withSection('# Title\n', 'Speed', 'fast');
  assert.equal(withSection(once, 'Speed', 'fast'), once);
});

test('the table of targets names pass, miss and what was not measured', () => {
  const target = { id: 'x', text: 'a target', unit: 'ratio', limit: 0.3, better: 'more' } as const;
  const text = verdictTable([judge(target, [0.4]), judge(target, [0.2]), judge(target, [])]);
  assert.match(text, /0\.40 \(0\.40–0\.40\).*pass/);
  assert.match(text, /0\.20 \(0\.20–0\.20\).*miss/);
  assert.match(text, /—.*not measured/);
});

test('memory that grows after settling is a miss, noise around a level is not', () => {
  const minutes = Array.from({ length: 600 }, (_, i) => i / 60);
  const flat = minutes.map((x, i) => ({ x, y: 200 + (i % 7) }));
  const growing = minutes.map((x) => ({ x, y: 200 + 5 * x }));
  const settling = minutes.map((x) => ({ x, y: x < 1.5 ? 120 : 200 }));
  assert.equal(judgeSoak({ points: flat }).verdict.verdict, 'pass');
  assert.equal(judgeSoak({ points: growing }).verdict.verdict, 'miss');
  assert.equal(judgeSoak({ points: settling }).verdict.verdict, 'pass');
  assert.ok(Math.abs(judgeSoak({ points: growing }).slopeMbPerMinute - 5) < 1e-6);
  assert.equal(judgeSoak({ points: [] }).verdict.verdict, 'not measured');
});

test('flags are read, and nonsense is refused', () => {
  assert.deepEqual(readOptions([]).rounds, 5);
  assert.deepEqual(readOptions(['--quick']).rounds, 3);
  assert.deepEqual(readOptions(['--only', 'c1,bare', '--seconds', '0.5']).only, ['c1', 'bare']);
  assert.throws(() => readOptions(['--rounds', '0']), /--rounds/);
  assert.throws(() => readOptions(['--rounds', '2.5']), /whole/);
  assert.throws(() => readOptions(['--seconds', 'long']), /--seconds/);
  assert.throws(() => readOptions(['--fast']));
});

test('names that are not asked for are left out, and none asked for keeps all', () => {
  assert.deepEqual(
    chosen(['a', 'b'], (x) => x, ['b', 'c1']),
    ['b'],
  );
  assert.deepEqual(
    chosen(['a', 'b'], (x) => x, ['c1']),
    ['a', 'b'],
  );
});

test("a profile's functions are summed over their call sites and idle time is left out", () => {
  const frame = (functionName: string, lineNumber = 0) => ({
    functionName,
    url: 'file:///x/bench/a.ts',
    lineNumber,
  });
  const profile = {
    nodes: [
      { id: 1, callFrame: { functionName: '(idle)', url: '', lineNumber: -1 } },
      { id: 2, callFrame: frame('work') },
      { id: 3, callFrame: frame('work') },
      { id: 4, callFrame: frame('rest', 8) },
    ],
    samples: [1, 2, 3, 4, 2],
    timeDeltas: [1000, 30, 30, 20, 20],
  };
  assert.deepEqual(hottest(profile, 5), [
    { name: 'work', where: 'bench/a.ts:1', share: 0.8 },
    { name: 'rest', where: 'bench/a.ts:9', share: 0.2 },
  ]);
  assert.deepEqual(hottest(null, 5), []);
});

test('a seeded policy has as many rules as asked for', () => {
  const count = (text: string): number => text.split(/^@id\(/m).length - 1;
  const random = new Uint8Array(10);
  const subjects = { teams: [makeId('team', 1, random)], models: [makeId('model', 1, random)] };
  assert.equal(count(policyText(200, subjects)), 200);
  assert.equal(count(policyText(0, subjects)), 3);
});

test('changes are parted in order and none is lost', () => {
  const changes = Array.from({ length: 500 }, (_, i) => {
    return { kind: 'membership', id: `${i} ${'x'.repeat(500)}`, state: null } as const;
  });
  const parts = partChanges(changes);
  assert.ok(parts.length > 1);
  assert.deepEqual(parts.flat(), changes);
  assert.ok(parts.every((part) => JSON.stringify(part).length < 60_000));
});
