// Owns the meter's state in memory: an organization's budgets in force, and its calls on their way.

import type { Budget, RateLimit } from '@countersign/core/directory/objects';
import type { ModelId, OrgId } from '@countersign/core/ids';
import type { CallDimensions, ScopeIndex } from '@countersign/core/metering/dimensions';
import { periodBounds } from '@countersign/core/metering/period';
import type { Bag, Bagged } from '../../platform/bag/bag.ts';
import type { Ended } from './ended-calls.ts';
import type { BudgetTerm, RateTerm } from './shared-counters.ts';

/** A call's hold on its budgets and limits. It ends by `settle` or `release`, and by nothing else. */
export type Reservation = {
  readonly kind: 'reserved';
  readonly orgId: OrgId;
  readonly nanos: number;
  readonly tokens: number;
  readonly atMs: number;
  /** What the meter knows of it; nobody else's to read. */
  readonly held: OpenCall;
};

/** What one model of a call used. */
export type ModelShare = { readonly modelId: ModelId; readonly nanos: number; readonly tokens: number };

/**
 * Which model a call is paid for, of those that it might have run; and what of its sum others used that ran beside it.
 * A budget or limit on a model counts that model's part.
 */
export type Shares = { readonly ran: ModelId | undefined; readonly beside: readonly ModelShare[] };

/** A budget in force with its current period, which rolls over when a call meets its end. */
export type BudgetEntry = {
  readonly budget: Budget;
  readonly key: string;
  /** The spending at which its alert is due. */
  readonly warnAt: number;
  term: BudgetTerm;
};

/** A call on its way: what it was counted under, and what it holds. `slot` is its place among the open ones. */
export type OpenCall = Bagged & {
  readonly dims: CallDimensions;
  readonly nanos: number;
  readonly tokens: number;
  readonly atMs: number;
  readonly budgets: BudgetTerm[];
  readonly rates: RateTerm[];
  /** What became of it, once it has ended. */
  ended: Ended | undefined;
};

/** The budgets and limits that cover a call. */
export type Cover = { readonly budgets: readonly BudgetEntry[]; readonly rates: readonly RateTerm[] };

/** One organization's part of the meter. */
export type OrgMeter = {
  readonly budgets: ReadonlyMap<string, BudgetEntry>;
  readonly rates: ReadonlyMap<string, RateTerm>;
  readonly budgetIndex: ScopeIndex<BudgetEntry>;
  readonly rateIndex: ScopeIndex<RateTerm>;
  /** What covers a call, by the very object that its dimensions are. */
  readonly covers: WeakMap<CallDimensions, Cover>;
  readonly open: Bag<OpenCall>;
};

/** What an organization has in force. */
export type BudgetSet = { readonly budgets: readonly Budget[]; readonly rateLimits: readonly RateLimit[] };

/** A budget whose spending has reached its threshold. */
export type BudgetAlert = {
  readonly budget: Budget;
  readonly usedNanos: number;
  readonly periodStartMs: number;
};

/** A budget with its counts in its current period. */
export type BudgetUse = {
  readonly budget: Budget;
  readonly usedNanos: number;
  readonly reservedNanos: number;
  readonly periodStartMs: number;
  readonly resetsAtMs: number | null;
};

/** The entry's period at `nowMs`. INVARIANT: a term never goes back to an earlier period. */
export function currentTerm(entry: BudgetEntry, nowMs: number): BudgetTerm {
  if (entry.term.endMs !== null && nowMs >= entry.term.endMs) {
    const { budget, key } = entry;
    entry.term = { key, budget, ...periodBounds(budget.period, nowMs) };
  }
  return entry.term;
}
