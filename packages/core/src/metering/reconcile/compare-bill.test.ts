// Claims about the comparison with a bill: what is found, what is expected, and that days add up to the whole.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Amounts, measures, nothing, plus } from './amounts.ts';
import type { BillLine } from './bill.ts';
import { type Comparison, compareBill, type Row, type Tolerance } from './compare-bill.ts';
import { gatherBill } from './gather-bill.ts';
import type { Attempt } from './recorded.ts';
import { slackMs, sumAttempts } from './sum-attempts.ts';

const dayMs = 86_400_000;
const start = Date.UTC(2026, 2, 1);
const noon = start + dayMs / 2;
const exact: Tolerance = { tokenParts: 0n, requests: 0n };
const own = (name: string): string => name;

const amounts = (requests: number, input: number, output: number, cached = 0): Amounts => ({
  requests: BigInt(requests),
  input: BigInt(input),
  cached: BigInt(cached),
  cacheWrite: 0n,
  output: BigInt(output),
});

function told(fromMs: number, model = 'm', used = amounts(1, 10, 4, 2)): Attempt {
  return {
    endpoint: 'chat',
    sent: model,
    served: model,
    fromMs,
    toMs: fromMs,
    kind: 'told',
    used,
    least: used,
    most: used,
  };
}

/** A call that left its usage open: at most 100 tokens each way. */
function untold(fromMs: number, model = 'm'): Attempt {
  const most = { requests: 1n, input: 100n, cached: 100n, cacheWrite: 100n, output: 100n };
  return { ...told(fromMs, model), kind: 'untold', used: nothing, least: nothing, most };
}

function line(startMs: number, model: string, { requests, input, cached, output }: Amounts): BillLine {
  const span = { startMs, endMs: startMs + dayMs };
  return { ...span, model, apiKey: undefined, split: '', told: { requests, input, cached, output } };
}

function compared(
  attempts: readonly Attempt[],
  lines: readonly BillLine[],
  days = 3,
  nameOf = own,
  tolerance = exact,
): Comparison {
  const page = { form: 'plain-csv' as const, file: 'bill', spans: lines, lines, hasMore: false };
  const bill = gatherBill([page], { fromMs: start, toMs: start + (days - 1) * dayMs });
  const sums = sumAttempts(bill.spans, nameOf);
  for (const attempt of attempts) sums.add(attempt);
  return compareBill(bill, sums.sums(), nameOf, tolerance);
}

const verdicts = ({ days, whole }: Comparison): readonly string[] =>
  [...days, ...whole].map(({ day, model, verdict }) => `${day} ${model} ${verdict}`);

test('a bill of exactly what was recorded agrees, by day and as a whole', () => {
  const result = compared(
    [told(noon), told(noon), told(noon + dayMs, 'n')],
    [line(start, 'm', amounts(2, 20, 8, 4)), line(start + dayMs, 'n', amounts(1, 10, 4, 2))],
  );
  assert.deepEqual(verdicts(result), [
    '2026-03-01 m agrees',
    '2026-03-02 n agrees',
    'all m agrees',
    'all n agrees',
  ]);
  assert.equal(result.ok, true);
});

test('one call beside the gateway shows as one request and its tokens', () => {
  const { days, ok } = compared([told(noon)], [line(start, 'm', amounts(2, 17, 9, 2))]);
  assert.equal(ok, false);
  assert.deepEqual(days[0]?.unrecorded, [
    { measure: 'requests', amount: 1n },
    { measure: 'input', amount: 7n },
    { measure: 'output', amount: 5n },
  ]);
  assert.deepEqual(days[0]?.unbilled, []);
});

test('a day that the bill leaves out is recorded and not billed', () => {
  const { days } = compared([told(noon), told(noon + dayMs)], [line(start, 'm', amounts(1, 10, 4, 2))]);
  assert.deepEqual(days[1]?.unbilled[0], { measure: 'requests', amount: 1n });
  assert.equal(days[1]?.verdict, 'differs');
});

test('a call without a usage may be billed up to what it reserved, and not beyond', () => {
  const calls = [told(noon), untold(noon)];
  const verdictFor = (used: Amounts) => compared(calls, [line(start, 'm', used)]).days[0]?.verdict;
  assert.equal(verdictFor(amounts(1, 10, 4, 2)), 'agrees');
  assert.equal(verdictFor(amounts(2, 60, 54, 2)), 'uncertain');
  assert.equal(verdictFor(amounts(3, 60, 54, 2)), 'differs');
  assert.equal(verdictFor(amounts(2, 111, 54, 2)), 'differs');
});

test('a call near midnight may be on either day, but is one call in the whole', () => {
  const late = told(start + dayMs - 60_000);
  const onNext = compared(
    [told(noon), late],
    [line(start, 'm', amounts(1, 10, 4, 2)), line(start + dayMs, 'm', amounts(1, 10, 4, 2))],
  );
  assert.deepEqual(verdicts(onNext), ['2026-03-01 m uncertain', '2026-03-02 m uncertain', 'all m agrees']);
  const twice = compared(
    [told(noon), late],
    [line(start, 'm', amounts(2, 20, 8, 4)), line(start + dayMs, 'm', amounts(1, 10, 4, 2))],
  );
  assert.deepEqual(verdicts(twice), ['2026-03-01 m agrees', '2026-03-02 m uncertain', 'all m differs']);
});

test('a call outside of the bill is not missed in it, and one at its edge is not certain', () => {
  assert.equal(compared([told(start - dayMs)], [line(start, 'm', nothing)]).ok, true);
  const edge = told(start + slackMs - 1);
  assert.equal(compared([edge], [line(start, 'm', nothing)]).ok, true);
  assert.equal(compared([told(start + slackMs)], [line(start, 'm', nothing)]).ok, false);
});

test('a call whose answer named no model counts for the version that other answers named', () => {
  const dated = { ...told(noon), served: 'm-2026' };
  const bill = [line(start, 'm-2026', amounts(2, 60, 20, 2))];
  const one = compared([untold(noon), dated], bill);
  assert.deepEqual(verdicts(one), ['2026-03-01 m-2026 uncertain', 'all m-2026 uncertain']);
  const other = { ...told(noon), served: 'm-2027' };
  const several = compared(
    [untold(noon), dated, other],
    [...bill, line(start, 'm-2027', amounts(1, 10, 4, 2))],
  );
  assert.equal(several.ok, true);
  assert.deepEqual(verdicts(several).slice(0, 3), [
    '2026-03-01 m agrees',
    '2026-03-01 m-2026 uncertain',
    '2026-03-01 m-2027 agrees',
  ]);
});

test('an estimated call without a name is certain of neither the name it sent nor the one that others were given', () => {
  const least = amounts(1, 0, 0);
  const guessed = { ...told(noon), kind: 'estimated' as const, least, most: amounts(1, 100, 100, 100) };
  const dated = { ...told(noon), served: 'm-2026' };
  for (const model of ['m', 'm-2026']) {
    const lines = [line(start, 'm-2026', amounts(1, 10, 4, 2)), line(start + dayMs, 'm', nothing)];
    const [first = assert.fail(), ...rest] = lines;
    const both = line(start, 'm-2026', amounts(2, 20, 8, 4));
    const bill =
      model === 'm-2026' ? [both, ...rest] : [first, ...rest, line(start, 'm', amounts(1, 10, 4, 2))];
    assert.equal(compared([guessed, dated], bill).ok, true, model);
  }
});

test('an alias puts both sides under one name', () => {
  const nameOf = (name: string): string => (name === 'theirs' ? 'm' : name);
  const lines = [line(start, 'theirs', amounts(1, 10, 4, 2)), line(start, 'm', amounts(1, 10, 4, 2))];
  const result = compared([told(noon), told(noon, 'theirs')], lines, 3, nameOf);
  assert.deepEqual(verdicts(result), ['2026-03-01 m agrees', 'all m agrees']);
});

test('a tolerance is of tokens in percent, and of requests in numbers', () => {
  const call = told(noon, 'm', amounts(1, 1000, 1000, 0));
  const verdictFor = (used: Amounts, tolerance: Tolerance) =>
    compared([call], [line(start, 'm', used)], 3, own, tolerance).days[0]?.verdict;
  const half = { tokenParts: 500n, requests: 0n };
  assert.equal(verdictFor(amounts(1, 1005, 995), half), 'agrees');
  assert.equal(verdictFor(amounts(1, 1006, 1000), half), 'differs');
  assert.equal(verdictFor(amounts(2, 1000, 1000), half), 'differs');
  assert.equal(verdictFor(amounts(2, 1000, 1000), { ...half, requests: 1n }), 'agrees');
});

const attempt: fc.Arbitrary<Attempt> = fc
  .record({
    at: fc.integer({ min: start - dayMs, max: start + 5 * dayMs }),
    took: fc.integer({ min: 0, max: 2 * dayMs }),
    sent: fc.constantFrom('m', 'n'),
    served: fc.constantFrom('m', 'm-1', 'm-2', 'n'),
    kind: fc.constantFrom('told' as const, 'untold' as const),
    input: fc.integer({ min: 0, max: 1000 }),
  })
  .map(({ at, took, sent, served, kind, input }) => ({
    ...(kind === 'told' ? told(at, sent, amounts(1, input, 3)) : untold(at, sent)),
    served: kind === 'told' ? served : sent,
    toMs: at + took,
  }));

const billLine = fc
  .record({
    day: fc.integer({ min: 0, max: 3 }),
    model: fc.constantFrom('m', 'm-1', 'x'),
    requests: fc.nat(9),
  })
  .map(({ day, model, requests }) =>
    line(start + day * dayMs, model, amounts(requests, requests * 7, requests)),
  );
const billLines = fc.uniqueArray(billLine, { selector: ({ startMs, model }) => `${startMs} ${model}` });

const recorded = (rows: readonly Row[]) => rows.map((row) => row.recorded).reduce(plus, nothing);
const billed = (rows: readonly Row[]) =>
  measures.map((measure) => rows.reduce((sum, row) => sum + (row.billed[measure] ?? 0n), 0n));

test('the sums over days are those of the whole, for every model and on both sides', () => {
  fc.assert(
    fc.property(fc.array(attempt, { maxLength: 40 }), billLines, (attempts, lines) => {
      const { days, whole } = compared(attempts, lines, 4);
      for (const model of new Set([...days, ...whole].map((row) => row.model))) {
        const of = (rows: readonly Row[]) => rows.filter((row) => row.model === model);
        assert.deepEqual(recorded(of(days)), recorded(of(whole)));
        assert.deepEqual(billed(of(days)), billed(of(whole)));
      }
    }),
  );
});

test('whatever the provider counts on the days that are left open, an honest bill never differs', () => {
  const honest = fc.array(fc.tuple(attempt, fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 30 });
  fc.assert(
    fc.property(honest, (calls) => {
      // Each call is billed once, at some moment between its beginning and its end; an untold one as anything it may be.
      const sums = new Map<string, Amounts>();
      for (const [{ fromMs, toMs, served, kind, used, most }, part] of calls) {
        const day = Math.floor((fromMs + (toMs - fromMs) * part) / dayMs) * dayMs;
        const key = `${day} ${served}`;
        const counted = kind === 'told' || part > 0.5 ? (kind === 'told' ? used : most) : nothing;
        sums.set(key, plus(sums.get(key) ?? nothing, counted));
      }
      const lines = [...sums].map(([key, sum]) => {
        const [day = '', model = ''] = key.split(' ');
        return line(Number(day), model, sum);
      });
      const kept = lines.filter(({ startMs }) => startMs >= start && startMs < start + 4 * dayMs);
      const { ok, days, whole } = compared(
        calls.map(([call]) => call),
        kept,
        4,
      );
      assert.equal(ok, true, JSON.stringify(verdicts({ ok, days, whole })));
      assert.ok([...days, ...whole].every((row) => measures.every((m) => row.low[m] <= row.high[m])));
    }),
  );
});
