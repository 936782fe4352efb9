// Owns how an organization's budgets and limits come into force, change and go while calls run.

import type { Budget, RateLimit } from '@countersign/core/directory/objects';
import type { MeterScope } from '@countersign/core/directory/scalars';
import type { BudgetId } from '@countersign/core/ids';
import { applicable, indexByScope } from '@countersign/core/metering/dimensions';
import { periodBounds } from '@countersign/core/metering/period';
import { addNanos, warnAtNanos } from '@countersign/core/metering/rules';
import { createBag } from '../../platform/bag/bag.ts';
import type { EndedCall } from './ended-calls.ts';
import type { BudgetTerm, RateTerm, SharedCounters } from './shared-counters.ts';
import {
  type BudgetAlert,
  type BudgetEntry,
  type BudgetSet,
  currentTerm,
  type OpenCall,
  type OrgMeter,
} from './state.ts';

/** What calls that have ended used: as the records say, and those that the records lack. */
export type SpentBefore = {
  readonly spent: ReadonlyMap<BudgetId, number>;
  readonly missing: readonly EndedCall[];
};

/** What a new budget's period has spent. A call counts in the period in which it was reserved. */
function spentSince(
  budgets: readonly Budget[],
  { spent, missing }: SpentBefore,
): (term: BudgetTerm) => number {
  const calls = new Map<BudgetId, EndedCall[]>();
  const index = indexByScope(missing.length === 0 ? [] : budgets, ({ scope }) => scope);
  for (const call of missing) {
    for (const { id } of applicable(index, call.dims)) calls.set(id, [...(calls.get(id) ?? []), call]);
  }
  return ({ budget: { id }, startMs }) =>
    (calls.get(id) ?? []).reduce(
      (sum, { atMs, nanos }) => (atMs < startMs ? sum : addNanos(sum, nanos)),
      spent.get(id) ?? 0,
    );
}

/**
 * The organization's part of the meter with these budgets and limits in force. What is counted already in the same
 * scope and period keeps its counter; a new budget starts at what was spent `before`, plus what calls on their way hold;
 * what is gone is forgotten. The former part must not be used again. Linear in the number of budgets.
 */
export function loadOrg(
  counters: SharedCounters,
  previous: OrgMeter | undefined,
  { budgets, rateLimits }: BudgetSet,
  before: SpentBefore,
  nowMs: number,
): { readonly org: OrgMeter; readonly alerts: readonly BudgetAlert[] } {
  const entries = new Map<string, BudgetEntry>();
  const newEntries: BudgetEntry[] = [];
  const alerts: BudgetAlert[] = [];
  const spentBefore = spentSince(budgets, before);
  for (const budget of budgets) {
    const key = `${budget.id}:${budget.period}:${scopeText(budget.scope)}`;
    const former = previous?.budgets.get(key);
    const period = former === undefined ? periodBounds(budget.period, nowMs) : currentTerm(former, nowMs);
    const entry: BudgetEntry = {
      budget,
      key,
      warnAt: warnAtNanos(budget),
      term: { key, budget, startMs: period.startMs, endMs: period.endMs },
    };
    entries.set(key, entry);
    if (former === undefined) {
      counters.seedBudget(entry.term, spentBefore(entry.term));
      newEntries.push(entry);
    }
    const { used } = counters.readBudget(entry.term);
    const wasDue = former !== undefined && used >= former.warnAt;
    if (used > 0 && used >= entry.warnAt && !wasDue) {
      alerts.push({ budget, usedNanos: used, periodStartMs: entry.term.startMs });
    }
  }
  for (const key of previous?.budgets.keys() ?? []) if (!entries.has(key)) counters.forgetBudget(key);

  const { rates, newRates } = loadRates(counters, previous, rateLimits);
  const open = previous?.open ?? createBag<OpenCall>();
  joinOpenCalls(counters, open.items(), newEntries, newRates);
  const org: OrgMeter = {
    budgets: entries,
    rates,
    budgetIndex: indexByScope(entries.values(), (entry) => entry.budget.scope),
    rateIndex: indexByScope(rates.values(), (term) => term.limit.scope),
    covers: new WeakMap(),
    open,
  };
  return { org, alerts };
}

function loadRates(
  counters: SharedCounters,
  previous: OrgMeter | undefined,
  rateLimits: readonly RateLimit[],
): { readonly rates: Map<string, RateTerm>; readonly newRates: RateTerm[] } {
  const rates = new Map<string, RateTerm>();
  const newRates: RateTerm[] = [];
  for (const limit of rateLimits) {
    const term: RateTerm = { key: `${limit.id}:${scopeText(limit.scope)}`, limit };
    rates.set(term.key, term);
    if (previous?.rates.has(term.key) === true) continue;
    counters.seedRate(term);
    newRates.push(term);
  }
  for (const key of previous?.rates.keys() ?? []) if (!rates.has(key)) counters.forgetRate(key);
  return { rates, newRates };
}

/**
 * Puts running calls under counters that began after them, so that a budget made, moved or restored while calls run
 * neither misses what they will spend nor gives back what it never held.
 */
function joinOpenCalls(
  counters: SharedCounters,
  calls: Iterable<OpenCall>,
  entries: readonly BudgetEntry[],
  rates: readonly RateTerm[],
): void {
  if (entries.length === 0 && rates.length === 0) return;
  const budgetIndex = indexByScope(entries, (entry) => entry.budget.scope);
  const rateIndex = indexByScope(rates, (term) => term.limit.scope);
  for (const call of calls) {
    for (const { key, term } of applicable(budgetIndex, call.dims)) {
      if (call.atMs < term.startMs) continue;
      counters.joinBudget(term, call.nanos);
      if (!call.budgets.some((held) => held.key === key && held.startMs === term.startMs))
        call.budgets.push(term);
    }
    for (const term of applicable(rateIndex, call.dims)) {
      counters.joinRate(term);
      if (!call.rates.some((held) => held.key === term.key)) call.rates.push(term);
    }
  }
}

function scopeText(scope: MeterScope): string {
  return scope.kind === 'organization' ? scope.kind : `${scope.kind}:${scope.id}`;
}
