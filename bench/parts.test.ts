// Tests how parts are measured and judged: a planted miss is a miss, and a child that fails is none that passes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeParts, measureFigures, type PartFigures, partsText } from './parts.ts';

const good: PartFigures = {
  detectors: {
    texts: [
      { name: 'prose', kind: 'realistic', ms20: [0.14, 0.15, 0.16], ms200: [1.4, 1.5, 1.6] },
      { name: 'phone words', kind: 'hostile', ms20: [0.9], ms200: [9.5] },
      { name: 'dots', kind: 'hostile', ms20: [0.1], ms200: [0.8] },
    ],
  },
  decisions: { rules: 2_000, p50: [6, 7, 8], p99: [11, 12, 13] },
  differential: { requests: 100_000, agreed: 100_000, allow: 30_000, deny: 40_000, erring: 30_000 },
  mutations: { mutated: 10_000, found: 10_000, kinds: 9 },
  verification: { entries: 1_000_000, bytesEach: 697, tiles: [2], whole: [4, 5, 6] },
};
const sizes = { rounds: 3, requests: 100_000, mutations: 10_000, entries: 1_000_000 };
const machine = {
  cpu: 'a processor',
  cores: 2,
  memoryGiB: 24,
  system: 'linux',
  node: 'v24',
  date: '2026-11-28T00:00:00.000Z',
  commit: 'abc',
};

function printed(figures: PartFigures): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(figures).map(([name, values]) => [
      name,
      `a line\n${JSON.stringify({ figures: name, ...values })}\n`,
    ]),
  );
}

const runOf =
  (outputs: Readonly<Record<string, string>>) =>
  async (name: string): Promise<string> =>
    outputs[name] ?? '';

const missed = (figures: PartFigures): readonly string[] =>
  judgeParts(figures).flatMap(({ target, verdict }) => (verdict === 'pass' ? [] : [target.id]));

test('what the children print comes back as they printed it', async () => {
  assert.deepEqual(await measureFigures(runOf(printed(good)), sizes), good);
});

test('each child is told how much to do', async () => {
  const told: unknown[] = [];
  const outputs = printed(good);
  await measureFigures(async (name, args, env) => {
    told.push([name, args.slice(1), env]);
    return outputs[name] ?? '';
  }, sizes);
  assert.deepEqual(told, [
    ['detectors', ['3'], undefined],
    ['decisions', ['3'], undefined],
    [
      'differential',
      ['packages/core/src/policy/differential.test.ts'],
      { COUNTERSIGN_DIFFERENTIAL: '100000' },
    ],
    ['mutations', ['packages/core/src/ledger/verify-log.test.ts'], { COUNTERSIGN_LEDGER_MUTATIONS: '10000' }],
    ['verification', ['1000000', '3'], undefined],
  ]);
});

test('a child whose line is missing is an error, and so is one that fails', async () => {
  for (const name of Object.keys(good)) {
    const silent = runOf({ ...printed(good), [name]: 'a line\n' });
    await assert.rejects(measureFigures(silent, sizes), new RegExp(`figures of \`${name}\``));
    const failing = async (asked: string): Promise<string> => {
      if (asked === name) throw new Error(`${name} failed`);
      return printed(good)[asked] ?? '';
    };
    await assert.rejects(measureFigures(failing, sizes), new RegExp(`${name} failed`));
  }
});

test('a child that did less than it was asked for is an error', async () => {
  const less: readonly (readonly [Partial<PartFigures>, RegExp])[] = [
    [{ mutations: { mutated: 600, found: 600, kinds: 9 } }, /600 mutations/],
    [{ verification: { ...good.verification, entries: 10 } }, /10 entries/],
    [{ decisions: { ...good.decisions, rules: 200 } }, /200 policies/],
    [{ detectors: { texts: [] } }, /no prose/],
    [{ decisions: { ...good.decisions, p99: [] } }, /p99/],
  ];
  for (const [change, message] of less)
    await assert.rejects(measureFigures(runOf(printed({ ...good, ...change })), sizes), message);
});

test('each target is missed by its own figures alone', () => {
  const [prose, ...others] = good.detectors.texts;
  assert.ok(prose !== undefined);
  const slow = (change: Partial<typeof prose>): PartFigures => {
    return { ...good, detectors: { texts: [{ ...prose, ...change }, ...others] } };
  };
  assert.deepEqual(missed(good), []);
  assert.deepEqual(missed(slow({ ms20: [0.1, 0.21, 0.3] })), ['detect-20']);
  assert.deepEqual(missed(slow({ ms200: [1, 2.1, 2.2] })), ['detect-200']);
  assert.deepEqual(missed({ ...good, decisions: { ...good.decisions, p50: [11] } }), ['decide-p50']);
  assert.deepEqual(missed({ ...good, decisions: { ...good.decisions, p99: [101] } }), ['decide-p99']);
  assert.deepEqual(missed({ ...good, mutations: { ...good.mutations, found: 9_999 } }), ['mutations']);
  assert.deepEqual(missed({ ...good, verification: { ...good.verification, whole: [61] } }), ['verify']);
});

test('the section names the worst text and a miss', () => {
  const figures = { ...good, mutations: { ...good.mutations, found: 9_998 } };
  const text = partsText({ ...figures, machine, cpu: 0, rounds: 3 }, judgeParts(figures));
  assert.match(text, /worst of 3 sample texts.*`phone words` \(hostile\).*9\.50/);
  assert.match(text, /10,000 random mutations.*\| +2 \| count \| miss/);
  assert.match(text, /1,000,000 entries.*5\.00 \(4\.00–6\.00\) \| +s \| pass/);
  assert.match(text, /on processor 0 alone/);
});
