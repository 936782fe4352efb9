// Owns the counters that calls share: the port, and the counters of one process.

import type { Budget, RateLimit } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { RateRoom } from '@countersign/core/metering/limit-answer';
import {
  advance,
  correct,
  emptyInMs,
  emptyWindow,
  take as takeFromWindow,
} from '@countersign/core/metering/rate-window';
import {
  addNanos,
  allowsSpend,
  type BudgetCount,
  checkRate,
  type LimitRefusal,
  type RateCount,
} from '@countersign/core/metering/rules';

/** A budget in one of its periods. The key names what is counted: it changes with the budget's scope or period. */
export type BudgetTerm = {
  readonly key: string;
  readonly budget: Budget;
  readonly startMs: number;
  readonly endMs: number | null;
};

/** A rate limit with the name of its counter. */
export type RateTerm = { readonly key: string; readonly limit: RateLimit };

/** All that one call holds: plain data, so that another process could be handed it. */
export type Held = {
  readonly budgets: readonly BudgetTerm[];
  readonly rates: readonly RateTerm[];
  readonly nanos: number;
  readonly tokens: number;
  readonly atMs: number;
};

/** How a budget's spending moved when a call ended. */
export type BudgetMove = { readonly term: BudgetTerm; readonly before: number; readonly after: number };

/**
 * The counters that every replica has to agree on. Each function is one atomic step. Losing the counters is
 * harmless: what is spent is rebuilt from the records. The functions answer at once, because the in-process counters
 * do and a call must not wait for what is already in memory; counters in another process need the meter to await.
 */
export type SharedCounters = {
  /** Starts counting a budget in a period, with what is already spent; a counter that runs already is left alone. */
  readonly seedBudget: (term: BudgetTerm, usedNanos: number) => void;
  /** Drops a counter. Counters in another process rather expire: a replica that lags may still count there. */
  readonly forgetBudget: (key: string) => void;
  readonly seedRate: (term: RateTerm) => void;
  readonly forgetRate: (key: string) => void;
  /** Adds a running call to a budget that began to count after it. Never refuses. */
  readonly joinBudget: (term: BudgetTerm, nanos: number) => void;
  readonly joinRate: (term: RateTerm) => void;
  /** Takes everything that a call needs, or nothing: then the answer says all that refused. */
  readonly take: (held: Held) => readonly LimitRefusal[];
  /** Gives back what a call held and counts what it used. To be called once for each `take` that succeeded. */
  readonly settle: (
    held: Held,
    usedNanos: number,
    usedTokens: number,
    nowMs: number,
  ) => readonly BudgetMove[];
  readonly readBudget: (term: BudgetTerm) => BudgetCount;
  readonly readRate: (term: RateTerm, nowMs: number) => RateReading;
};

/** What is left of each measure that a rate limit sets. */
export type RateReading = {
  readonly requests: RateRoom | undefined;
  readonly tokens: RateRoom | undefined;
  readonly inFlight: number;
};

type LiveBudget = { startMs: number; used: number; reserved: number };
type Counters = { readonly budgets: Map<string, LiveBudget>; readonly rates: Map<string, RateCount> };

/** The counters of one process. Every step is synchronous, and so cannot interleave with another. */
export function createInProcessCounters(): SharedCounters {
  const counters: Counters = { budgets: new Map(), rates: new Map() };
  return {
    seedBudget: (term, used) => {
      const count = counters.budgets.get(term.key);
      if (count !== undefined && count.startMs >= term.startMs) return;
      counters.budgets.set(term.key, { startMs: term.startMs, used, reserved: 0 });
    },
    forgetBudget: (key) => {
      counters.budgets.delete(key);
    },
    seedRate: (term) => {
      if (counters.rates.has(term.key)) return;
      counters.rates.set(term.key, { requests: emptyWindow(), tokens: emptyWindow(), inFlight: 0 });
    },
    forgetRate: (key) => {
      counters.rates.delete(key);
    },
    joinBudget: (term, nanos) => {
      const count = budgetOf(counters, term);
      count.reserved = addNanos(count.reserved, nanos);
    },
    joinRate: (term) => {
      rateOf(counters, term).inFlight += 1;
    },
    take: (held) => take(counters, held),
    settle: (held, nanos, tokens, nowMs) => settle(counters, held, nanos, tokens, nowMs),
    readBudget: (term) => budgetOf(counters, term),
    readRate: (term, nowMs) => readRate(rateOf(counters, term), term.limit, nowMs),
  };
}

/** A budget's counter in the term's period. A new period starts with nothing spent and nothing reserved. */
function budgetOf(counters: Counters, term: BudgetTerm): LiveBudget {
  const count = counters.budgets.get(term.key);
  if (count === undefined) throw new AppError('internal', `budget \`${term.budget.name}\` has no counter`);
  if (count.startMs < term.startMs) {
    count.startMs = term.startMs;
    count.used = 0;
    count.reserved = 0;
  }
  return count;
}

function rateOf(counters: Counters, term: RateTerm): RateCount {
  const count = counters.rates.get(term.key);
  if (count === undefined) throw new AppError('internal', `rate limit \`${term.limit.name}\` has no counter`);
  return count;
}

function take(counters: Counters, held: Held): readonly LimitRefusal[] {
  const refusals: LimitRefusal[] = [];
  for (const term of held.budgets) {
    const count = budgetOf(counters, term);
    if (!allowsSpend(term.budget, count, held.nanos)) refusals.push(budgetRefusal(term, count, held.nanos));
  }
  for (const term of held.rates) {
    const count = rateOf(counters, term);
    advance(count.requests, held.atMs);
    advance(count.tokens, held.atMs);
    const refusal = checkRate(term.limit, count, held.tokens, held.atMs);
    if (refusal !== null) refusals.push(refusal);
  }
  if (refusals.length > 0) return refusals;
  // INVARIANT: nothing was changed up to here, and nothing below can refuse: all or none.
  for (const term of held.budgets) budgetOf(counters, term).reserved += held.nanos;
  for (const term of held.rates) {
    const count = rateOf(counters, term);
    takeFromWindow(count.requests, 1);
    takeFromWindow(count.tokens, held.tokens);
    count.inFlight += 1;
  }
  return refusals;
}

function budgetRefusal(term: BudgetTerm, count: BudgetCount, wanted: number): LimitRefusal {
  const { id, name, limitNanos } = term.budget;
  return {
    code: 'budget_exceeded',
    id,
    name,
    measure: 'nanos',
    limit: limitNanos,
    used: count.used,
    reserved: count.reserved,
    wanted,
    resetsAtMs: wanted > limitNanos ? null : term.endMs,
  };
}

function settle(
  counters: Counters,
  held: Held,
  usedNanos: number,
  usedTokens: number,
  nowMs: number,
): readonly BudgetMove[] {
  const moves: BudgetMove[] = [];
  for (const term of held.budgets) {
    const count = counters.budgets.get(term.key);
    // A call counts in the period in which it was reserved; a period that is over has no counter any more.
    if (count === undefined || count.startMs !== term.startMs) continue;
    const before = count.used;
    count.reserved -= held.nanos;
    count.used = addNanos(before, usedNanos);
    moves.push({ term, before, after: count.used });
  }
  for (const term of held.rates) {
    const count = counters.rates.get(term.key);
    if (count === undefined) continue;
    advance(count.tokens, nowMs);
    correct(count.tokens, Math.floor(held.atMs / 1000), held.tokens, usedTokens);
    count.inFlight -= 1;
  }
  return moves;
}

function roomOf(max: number, window: RateCount['requests'], nowMs: number): RateRoom {
  advance(window, nowMs);
  return { limit: max, remaining: max - window.sum, resetMs: emptyInMs(window, nowMs) };
}

function readRate(count: RateCount, limit: RateLimit, nowMs: number): RateReading {
  const { requestsPerMinute, tokensPerMinute } = limit;
  return {
    inFlight: count.inFlight,
    requests: requestsPerMinute === undefined ? undefined : roomOf(requestsPerMinute, count.requests, nowMs),
    tokens: tokensPerMinute === undefined ? undefined : roomOf(tokensPerMinute, count.tokens, nowMs),
  };
}
