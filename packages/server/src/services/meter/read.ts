// Owns what can be read from the meter without changing it: what is left for a call, and how budgets stand.

import type { Headroom, RateRoom } from '@countersign/core/metering/limit-answer';
import { budgetRemaining } from '@countersign/core/metering/rules';
import type { BudgetTerm, RateTerm, SharedCounters } from './shared-counters.ts';
import type { BudgetUse } from './state.ts';

/** Of everything that covers a call, the tightest of each kind. Budgets that only warn limit nothing. */
export function readHeadroom(
  counters: SharedCounters,
  budgets: readonly BudgetTerm[],
  rates: readonly RateTerm[],
  nowMs: number,
): Headroom {
  let budget: Headroom['budget'];
  for (const term of budgets) {
    if (term.budget.action !== 'stop') continue;
    const { id, name, limitNanos } = term.budget;
    const remainingNanos = budgetRemaining(limitNanos, counters.readBudget(term));
    if (budget === undefined || remainingNanos < budget.remainingNanos) {
      budget = { id, name, limitNanos, remainingNanos, resetsAtMs: term.endMs };
    }
  }
  let requests: RateRoom | undefined;
  let tokens: RateRoom | undefined;
  for (const term of rates) {
    const reading = counters.readRate(term, nowMs);
    requests = tighter(requests, reading.requests);
    tokens = tighter(tokens, reading.tokens);
  }
  return { budget, requests, tokens };
}

function tighter(a: RateRoom | undefined, b: RateRoom | undefined): RateRoom | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b.remaining < a.remaining ? b : a;
}

/** Each budget with what it has spent and reserved in its period. */
export function readBudgets(counters: SharedCounters, terms: readonly BudgetTerm[]): BudgetUse[] {
  return terms.map((term) => {
    const { used, reserved } = counters.readBudget(term);
    return {
      budget: term.budget,
      usedNanos: used,
      reservedNanos: reserved,
      periodStartMs: term.startMs,
      resetsAtMs: term.endMs,
    };
  });
}
