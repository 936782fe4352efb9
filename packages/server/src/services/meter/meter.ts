// Owns what every call passes before it leaves: budgets and limits reserved together, settled once.

import type { Budget, RateLimit } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { BudgetId, OrgId } from '@countersign/core/ids';
import { applicable, type CallDimensions } from '@countersign/core/metering/dimensions';
import { type Headroom, retryAfterSeconds } from '@countersign/core/metering/limit-answer';
import { crosses, type LimitRefusal, longest } from '@countersign/core/metering/rules';
import { createEndedCalls, type EndedCall, type EndedCalls } from './ended-calls.ts';
import { loadOrg } from './load-org.ts';
import { readBudgets, readHeadroom } from './read.ts';
import { settledDims, settleShares } from './settle-shares.ts';
import { type BudgetTerm, createInProcessCounters, type SharedCounters } from './shared-counters.ts';
import {
  type BudgetAlert,
  type BudgetEntry,
  type BudgetUse,
  type Cover,
  currentTerm,
  type OpenCall,
  type OrgMeter,
  type Reservation,
  type Shares,
} from './state.ts';

/** Why a call may not go: of everything that refused it, what lasts longest. Nothing is held. */
export type Refusal = LimitRefusal & {
  readonly kind: 'refused';
  /** `undefined`: waiting does not help. */
  readonly retryAfterSeconds: number | undefined;
};

/** What became of a reservation. */
export type Settlement = {
  /** False if the reservation had ended before: then nothing was counted. */
  readonly isFirst: boolean;
  readonly chargedNanos: number;
  /** By how much the call cost more than was reserved for it. */
  readonly overrunNanos: number;
  /** Budgets whose alert fell due with this call: each once in its period. */
  readonly alerts: readonly BudgetAlert[];
};

/** A reservation that has been held for long, for the report on calls that never ended. */
export type OldReservation = Pick<Reservation, 'orgId' | 'nanos' | 'tokens' | 'atMs'> & {
  readonly ageMs: number;
};

export type Meter = {
  /**
   * Puts an organization's budgets and limits in force. A budget that is already counted in the same scope and
   * period keeps its count, whatever its limit becomes; for a new one `spent` says what its period has spent
   * (`spentByBudget`), and calls on their way are added, and ended ones that are `missing` from it. Returns budgets
   * that are past their threshold and were not before: new ones too, so that an alert lost in a crash can be given again.
   */
  readonly load: (
    orgId: OrgId,
    budgets: readonly Budget[],
    rateLimits: readonly RateLimit[],
    spent: ReadonlyMap<BudgetId, number>,
    missing?: readonly EndedCall[],
  ) => readonly BudgetAlert[];
  /**
   * The organization's calls that were settled with a cost. Whoever settles says where its record went (`recorded`,
   * `unrecorded`): until then a new budget cannot tell whether the records hold it.
   */
  readonly ended: (orgId: OrgId) => EndedCalls;
  /** Forgets an organization. False, and nothing happens, while calls of it are on their way, or their records. */
  readonly unload: (orgId: OrgId) => boolean;
  /** Reserves in all budgets and limits that cover the call, or in none. Throws if the organization is not loaded. */
  readonly reserve: (
    orgId: OrgId,
    dims: CallDimensions,
    worstCaseNanos: number,
    worstCaseTokens: number,
  ) => Reservation | Refusal;
  /**
   * Ends a reservation with what the call cost and used. The second time it does nothing. Of a call that might have run
   * several models `shares` says which did: the budgets and limits on the others get their hold back.
   */
  readonly settle: (
    reservation: Reservation,
    actualNanos: number,
    actualTokens: number,
    shares?: Shares,
  ) => Settlement;
  /** Ends a reservation of a call that never left: no money, no tokens; it stays counted as a request. */
  readonly release: (reservation: Reservation) => boolean;
  /** What is left for calls with these dimensions. */
  readonly headroom: (orgId: OrgId, dims: CallDimensions) => Headroom;
  /** The sum of what calls on their way hold; 0 when nothing runs. */
  readonly reservedNanos: (orgId: OrgId) => number;
  /** Every budget with what it has spent and reserved in its current period. */
  readonly budgets: (orgId: OrgId) => readonly BudgetUse[];
  /** Reservations held for longer than `ageMs`: reported, never ended here. */
  readonly olderThan: (ageMs: number) => readonly OldReservation[];
};

type MeterState = {
  readonly counters: SharedCounters;
  readonly orgs: Map<OrgId, OrgMeter>;
  readonly ended: Map<OrgId, EndedCalls>;
  readonly now: () => number;
};

/**
 * A meter over the counters of this process, or others. `now` gives milliseconds since 1970-01-01 UTC; the meter never
 * lets it run backwards, so a period that is over stays over.
 *
 * A reservation does not expire by itself: a long stream would lose its hold while it still spends. The gateway ends
 * each in a `finally`; `olderThan` shows those that it did not.
 */
export function createMeter(deps: { readonly now: () => number; readonly counters?: SharedCounters }): Meter {
  let latest = 0;
  const now = (): number => {
    latest = Math.max(latest, deps.now());
    return latest;
  };
  const counters = deps.counters ?? createInProcessCounters();
  const state: MeterState = { counters, orgs: new Map(), ended: new Map(), now };
  return {
    load: (orgId, budgets, rateLimits, spent, missing = []) => {
      const former = state.orgs.get(orgId);
      const loaded = loadOrg(counters, former, { budgets, rateLimits }, { spent, missing }, now());
      state.orgs.set(orgId, loaded.org);
      return loaded.alerts;
    },
    ended: (orgId) => endedOf(state, orgId),
    unload: (orgId) => unload(state, orgId),
    reserve: (orgId, dims, nanos, tokens) => reserve(state, orgId, dims, nanos, tokens),
    settle: (reservation, nanos, tokens, shares) => settle(state, reservation, nanos, tokens, shares),
    release: (reservation) => settle(state, reservation, 0, 0, undefined).isFirst,
    headroom: (orgId, dims) => {
      const at = now();
      const { budgets, rates } = coverOf(orgOf(state, orgId), dims);
      return readHeadroom(state.counters, termsOf(budgets, at), rates, at);
    },
    reservedNanos: (orgId) => {
      let sum = 0;
      for (const call of state.orgs.get(orgId)?.open.items() ?? []) sum += call.nanos;
      return sum;
    },
    budgets: (orgId) => {
      const at = now();
      return readBudgets(state.counters, termsOf([...orgOf(state, orgId).budgets.values()], at));
    },
    olderThan: (ageMs) => olderThan(state, ageMs),
  };
}

function orgOf(state: MeterState, orgId: OrgId): OrgMeter {
  const org = state.orgs.get(orgId);
  if (org === undefined) {
    throw new AppError('overloaded', 'the budgets of the organization are not loaded yet; try again', {
      retryAfterSeconds: 1,
    });
  }
  return org;
}

/** What covers calls with these dimensions. Found once for dimensions that come again, as those of a key do. */
function coverOf(org: OrgMeter, dims: CallDimensions): Cover {
  const known = org.covers.get(dims);
  if (known !== undefined) return known;
  const cover = { budgets: applicable(org.budgetIndex, dims), rates: applicable(org.rateIndex, dims) };
  org.covers.set(dims, cover);
  return cover;
}

function endedOf(state: MeterState, orgId: OrgId): EndedCalls {
  const known = state.ended.get(orgId);
  if (known !== undefined) return known;
  const made = createEndedCalls();
  state.ended.set(orgId, made);
  return made;
}

function termsOf(entries: readonly BudgetEntry[], nowMs: number): BudgetTerm[] {
  return entries.map((entry) => currentTerm(entry, nowMs));
}

function reserve(
  state: MeterState,
  orgId: OrgId,
  dims: CallDimensions,
  nanos: number,
  tokens: number,
): Reservation | Refusal {
  if (!isCount(nanos) || !isCount(tokens)) {
    throw new RangeError('the worst case must be a whole number from 0 to 2^53 - 1');
  }
  const org = orgOf(state, orgId);
  const atMs = state.now();
  const cover = coverOf(org, dims);
  const budgets = termsOf(cover.budgets, atMs);
  const call: OpenCall = {
    dims,
    nanos,
    tokens,
    atMs,
    budgets,
    rates: cover.rates.slice(),
    ended: undefined,
    slot: -1,
  };
  const refusal = longest(state.counters.take(call));
  if (refusal !== undefined) {
    return { kind: 'refused', ...refusal, retryAfterSeconds: retryAfterSeconds(refusal, atMs) };
  }
  org.open.add(call);
  return { kind: 'reserved', orgId, nanos, tokens, atMs, held: call };
}

const endedBefore: Settlement = { isFirst: false, chargedNanos: 0, overrunNanos: 0, alerts: [] };

function settle(
  state: MeterState,
  reservation: Reservation,
  nanos: number,
  tokens: number,
  asked: Shares | undefined,
): Settlement {
  const org = state.orgs.get(reservation.orgId);
  const call = reservation.held;
  if (org?.open.remove(call) !== true) return endedBefore;
  // A call must not keep its hold because its cost could not be told: it is charged what was reserved.
  const charged = isCount(nanos) ? nanos : call.nanos;
  const used = isCount(tokens) ? tokens : call.tokens;
  // Most calls can run one model: then every budget and limit counts all of it, in one step.
  const shares = call.dims.otherModelIds === undefined ? undefined : asked;
  if (charged > 0) {
    const { atMs } = call;
    const dims = shares === undefined ? call.dims : settledDims(call.dims, shares);
    endedOf(state, reservation.orgId).add(reservation, { dims, atMs, nanos: charged });
  }
  const now = state.now();
  const moves =
    shares === undefined
      ? state.counters.settle(call, charged, used, now)
      : settleShares(state.counters, call, { nanos: charged, tokens: used }, shares, now);
  const alerts: BudgetAlert[] = [];
  for (const { term, before, after } of moves) {
    const entry = org.budgets.get(term.key);
    if (entry !== undefined && crosses(entry.warnAt, before, after)) {
      alerts.push({ budget: entry.budget, usedNanos: after, periodStartMs: term.startMs });
    }
  }
  return { isFirst: true, chargedNanos: charged, overrunNanos: Math.max(0, charged - call.nanos), alerts };
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function unload(state: MeterState, orgId: OrgId): boolean {
  const org = state.orgs.get(orgId);
  if (org === undefined) return true;
  if (org.open.size() > 0 || !endedOf(state, orgId).isEmpty()) return false;
  for (const key of org.budgets.keys()) state.counters.forgetBudget(key);
  for (const key of org.rates.keys()) state.counters.forgetRate(key);
  state.orgs.delete(orgId);
  state.ended.delete(orgId);
  return true;
}

function olderThan(state: MeterState, ageMs: number): readonly OldReservation[] {
  const at = state.now();
  const old: OldReservation[] = [];
  for (const [orgId, org] of state.orgs) {
    for (const { nanos, tokens, atMs } of org.open.items()) {
      if (at - atMs > ageMs) old.push({ orgId, nanos, tokens, atMs, ageMs: at - atMs });
    }
  }
  return old;
}
