// Tries every order in which calls can end, be recorded and fail to be while a new budget reads what was spent.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EntryId, makeEntryId } from '@countersign/core/ids';
import type { SpentRow } from '@countersign/core/metering/spent';
import { loadBudgets, type ReadSpent } from './load-budgets.ts';
import { budgetOf, call, held, meterWith, orgId, start, use } from './samples.ts';

const day = Math.floor(start / 86_400_000);

/** What a call does, in this order. `commit` puts its outcome into the log, `told` and `failed` say so to the gateway. */
type Deed = 'settle' | 'commit' | 'told' | 'failed' | 'write owed';
/** What a load does: all that is committed is projected, the rows are read, the rows arrive. */
type Reading = 'project' | 'read' | 'arrive';

type Course = readonly Deed[];
const recorded: Course = ['settle', 'commit', 'told'];
/** The commit fails, and nobody knows whether it took place; what is owed is written later, if need be. */
const failed: Course = ['settle', 'failed', 'write owed'];
const failedAfterAll: Course = ['settle', 'commit', 'failed', 'write owed'];
/** More than can be owed: nobody writes it. */
const lost: Course = ['settle', 'failed'];
const reading: readonly Reading[] = ['project', 'read', 'arrive'];

type Event = { readonly call: number; readonly deed: Deed } | { readonly deed: Reading };

/** Every order of the events that keeps the order of each list. */
function* merges(lists: readonly (readonly Event[])[]): Generator<readonly Event[], void> {
  const open = lists.filter((list) => list.length > 0);
  if (open.length === 0) yield [];
  for (const list of open) {
    const [first, ...rest] = list;
    if (first === undefined) continue;
    for (const merged of merges(open.map((other) => (other === list ? rest : other))))
      yield [first, ...merged];
  }
}

/** Lets every promise go on that can. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
}

/**
 * A log with its projection, calls that hold what they may cost, and a load of a budget that is new. `isEager`: the
 * projection follows each commit at once, else it comes when a load asks for it.
 */
function createWorld(courses: readonly Course[], isEager: boolean) {
  const { meter } = meterWith([]);
  const log: number[] = [];
  let projected = 0;
  const calls = courses.map((_, n) => ({
    reservation: held(meter.reserve(orgId, call, 1_000, 0)),
    intent: makeEntryId(start, new Uint8Array(10).fill(n)),
    nanos: 10 ** n,
  }));
  const steps = reading.map(() => Promise.withResolvers<void>());
  let passed = 0;
  let isFirst = true;

  /** A step of the first reading waits for its turn; later ones go through. */
  async function step(n: number): Promise<void> {
    if (isFirst) await steps[n]?.promise;
  }

  const read: ReadSpent = async (owed) => {
    await step(0);
    projected = log.length;
    await step(1);
    const seen = log.slice(0, projected);
    const rows = seen.map((n): SpentRow => ({ ...call, day, costNanos: BigInt(calls[n]?.nanos ?? 0) }));
    const inRows = new Set<EntryId>(seen.flatMap((n) => calls[n]?.intent ?? []));
    const answer = { rows, projected, closed: owed.filter((intent) => inRows.has(intent)) };
    await step(2);
    isFirst = false;
    return answer;
  };

  function act(n: number, deed: Deed): void {
    const one = calls[n];
    if (one === undefined) return;
    const ended = meter.ended(orgId);
    if (deed === 'settle') meter.settle(one.reservation, one.nanos, 0);
    if (deed === 'commit' || (deed === 'write owed' && !log.includes(n))) log.push(n);
    if (deed === 'told') ended.recorded(one.reservation, log.indexOf(n));
    if (deed === 'failed') ended.unrecorded(one.reservation, one.intent);
  }

  return {
    meter,
    total: calls.reduce((sum, { nanos }) => sum + nanos, 0),
    load: (number: number) => loadBudgets({ meter, now: () => start }, orgId, set(number), read),
    happen(event: Event): void {
      if ('call' in event) {
        act(event.call, event.deed);
        if (isEager) projected = log.length;
        return;
      }
      steps[passed]?.resolve();
      passed += 1;
    },
  };
}

const set = (number: number) => ({
  budgets: Array.from({ length: number }, (_, n) => budgetOf(n + 1, { limitNanos: 1_000_000 })),
  rateLimits: [],
});

/** Runs one order and checks that the budget has counted each call once. */
async function countOnce(
  courses: readonly Course[],
  order: readonly Event[],
  isEager: boolean,
): Promise<void> {
  const world = createWorld(courses, isEager);
  const loaded = world.load(1);
  for (const event of order) {
    world.happen(event);
    await turns();
  }
  await loaded;
  const text = order.map((event) => ('call' in event ? `${event.call} ${event.deed}` : event.deed));
  assert.deepEqual(use(world.meter, 1), { used: world.total, reserved: 0 }, text.join(', '));
  // A second new budget finds what the first one counted, wherever it stands by now.
  await world.load(2);
  assert.deepEqual(use(world.meter, 2), { used: world.total, reserved: 0 }, `later: ${text.join(', ')}`);
}

const cases: { readonly [what: string]: readonly Course[] } = {
  'one that is recorded': [recorded],
  'two that are recorded': [recorded, recorded],
  'one whose commit fails': [failed],
  'one whose commit fails and took place': [failedAfterAll],
  'one that is recorded, one whose commit fails': [recorded, failed],
  'one that is recorded, one whose commit fails and took place': [recorded, failedAfterAll],
  'one that is recorded, one that is lost': [recorded, lost],
};

for (const [what, courses] of Object.entries(cases)) {
  const lists = courses.map((course, n) => course.map((deed): Event => ({ call: n, deed })));
  const orders = [...merges([...lists, reading.map((deed): Event => ({ deed }))])];
  test(`a new budget counts calls that end while it loads once, in all ${orders.length} orders: ${what}`, async () => {
    for (const order of orders) {
      await countOnce(courses, order, true);
      await countOnce(courses, order, false);
    }
  });
}

test('a call that ended before its budget was thought of, and whose record is on its way, is waited for', async () => {
  const { meter } = meterWith([]);
  const ended = held(meter.reserve(orgId, call, 100, 0));
  meter.settle(ended, 40, 0);
  let isLoaded = false;
  const read: ReadSpent = async () => ({ rows: [], projected: 7, closed: [] });
  const loaded = loadBudgets({ meter, now: () => start }, orgId, set(1), read).then(() => {
    isLoaded = true;
  });
  await turns();
  assert.equal(isLoaded, false);
  meter.ended(orgId).recorded(ended, 7);
  await loaded;
  assert.deepEqual(use(meter, 1), { used: 40, reserved: 0 });
});

test('a call is charged to the new budget of the period in which it was reserved, from its first millisecond on', async () => {
  const { meter, clock } = meterWith([]);
  clock.ms = Date.parse('2026-11-22T23:59:59.999Z');
  const yesterday = held(meter.reserve(orgId, call, 100, 0));
  clock.ms = Date.parse('2026-11-23T00:00:00Z');
  const today = held(meter.reserve(orgId, call, 100, 0));
  meter.settle(yesterday, 40, 0);
  meter.settle(today, 7, 0);
  const budgets = [budgetOf(1, { period: 'day' })];
  const read: ReadSpent = async () => {
    meter.ended(orgId).recorded(yesterday, 3);
    meter.ended(orgId).recorded(today, 4);
    return { rows: [], projected: 3, closed: [] };
  };
  await loadBudgets({ meter, now: () => clock.ms }, orgId, { budgets, rateLimits: [] }, read);
  assert.deepEqual(use(meter, 1), { used: 7, reserved: 0 });
});

test('an organization is not forgotten while a record of it is on its way, and is afterwards', () => {
  const { meter } = meterWith([budgetOf(1)]);
  const one = held(meter.reserve(orgId, call, 30, 0));
  meter.settle(one, 20, 0);
  assert.equal(meter.unload(orgId), false);
  meter.ended(orgId).recorded(one, 1);
  assert.equal(meter.unload(orgId), true);
});

test('nothing is kept of calls that were recorded while no budget loads', () => {
  const { meter } = meterWith([budgetOf(1, { limitNanos: 1_000_000 })]);
  for (let n = 0; n < 100; n += 1) {
    const one = held(meter.reserve(orgId, call, 30, 0));
    meter.settle(one, 20, 0);
    meter.ended(orgId).recorded(one, n);
  }
  assert.ok(meter.ended(orgId).isEmpty());
});
