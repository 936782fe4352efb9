// Owns the rules of budgets and limits: what refuses a call, what is left, when to warn.

import type { Budget, RateLimit } from '../directory/objects.ts';
import { maxNanos } from './cost.ts';
import { type RateWindow, waitMs } from './rate-window.ts';

/** What has been spent in a period and what calls on their way may still spend, in nano-units. */
export type BudgetCount = { readonly used: number; readonly reserved: number };

/** Why a call may not go: which object refuses, by which measure, and when it could pass. */
export type LimitRefusal = {
  readonly code: 'budget_exceeded' | 'rate_limited';
  readonly id: Budget['id'] | RateLimit['id'];
  readonly name: string;
  readonly measure: 'nanos' | 'requests_per_minute' | 'tokens_per_minute' | 'concurrent';
  readonly limit: number;
  readonly used: number;
  /** Held by calls on their way. 0 for per-minute measures, whose window holds them already. */
  readonly reserved: number;
  readonly wanted: number;
  /** When the same call could pass. `null`: never while the limit stands. */
  readonly resetsAtMs: number | null;
};

/** What may still be reserved under a budget; below 0 when the limit was lowered under what is spent. */
export function budgetRemaining(limitNanos: number, count: BudgetCount): number {
  return limitNanos - count.used - count.reserved;
}

/**
 * Whether a budget lets a call reserve `wanted` nano-units. A `warn` budget never refuses; a call that costs
 * nothing is never refused.
 *
 * INVARIANT: after a reservation that this allowed under a `stop` budget, used + reserved <= limit.
 */
export function allowsSpend(
  budget: { readonly action: Budget['action']; readonly limitNanos: number },
  count: BudgetCount,
  wanted: number,
): boolean {
  if (wanted === 0) return true;
  const ceiling = budget.action === 'stop' ? budget.limitNanos : maxNanos;
  // Spending beyond what a number can hold is not a reason to refuse a call under a budget that only warns.
  const used = budget.action === 'stop' ? count.used : 0;
  return wanted <= ceiling - used - count.reserved;
}

/** The spending at which a budget's alert is due, in nano-units: the percentage, rounded up. */
export function warnAtNanos(budget: { readonly limitNanos: number; readonly warnAtPercent: number }): number {
  return Number((BigInt(budget.limitNanos) * BigInt(budget.warnAtPercent) + 99n) / 100n);
}

/**
 * Whether spending that grew from `before` to `after` crossed the threshold. Spending only grows within a period,
 * so among all settlements of a period exactly one crosses it, on any number of replicas.
 */
export function crosses(thresholdNanos: number, before: number, after: number): boolean {
  return before < thresholdNanos && after >= thresholdNanos;
}

/** `a + b`, at most `maxNanos`. */
export function addNanos(a: number, b: number): number {
  return a > maxNanos - b ? maxNanos : a + b;
}

/** The counters behind one rate limit. */
export type RateCount = {
  readonly requests: RateWindow;
  readonly tokens: RateWindow;
  inFlight: number;
};

/** What a limit on concurrent calls cannot know is when one will end; callers are asked to come back after this. */
const concurrentRetryMs = 1000;

/** The first measure of a rate limit that refuses one request of `tokens` tokens. Windows are already advanced. */
export function checkRate(
  limit: RateLimit,
  count: RateCount,
  tokens: number,
  nowMs: number,
): LimitRefusal | null {
  const { requestsPerMinute, tokensPerMinute, concurrent } = limit;
  const subject = { code: 'rate_limited', id: limit.id, name: limit.name } as const;
  const after = (wait: number | null): number | null => (wait === null ? null : nowMs + wait);
  if (tokensPerMinute !== undefined && tokens > 0 && count.tokens.sum + tokens > tokensPerMinute) {
    return {
      ...subject,
      measure: 'tokens_per_minute',
      limit: tokensPerMinute,
      used: count.tokens.sum,
      reserved: 0,
      wanted: tokens,
      resetsAtMs: after(waitMs(count.tokens, nowMs, tokensPerMinute, tokens)),
    };
  }
  if (requestsPerMinute !== undefined && count.requests.sum + 1 > requestsPerMinute) {
    return {
      ...subject,
      measure: 'requests_per_minute',
      limit: requestsPerMinute,
      used: count.requests.sum,
      reserved: 0,
      wanted: 1,
      resetsAtMs: after(waitMs(count.requests, nowMs, requestsPerMinute, 1)),
    };
  }
  if (concurrent !== undefined && count.inFlight + 1 > concurrent) {
    return {
      ...subject,
      measure: 'concurrent',
      limit: concurrent,
      used: 0,
      reserved: count.inFlight,
      wanted: 1,
      resetsAtMs: nowMs + concurrentRetryMs,
    };
  }
  return null;
}

/** The refusal that lasts longest: a caller who waits for it does not run into another of these. */
export function longest(refusals: readonly LimitRefusal[]): LimitRefusal | undefined {
  let worst: LimitRefusal | undefined;
  for (const refusal of refusals) {
    if (worst === undefined || until(refusal) > until(worst)) worst = refusal;
  }
  return worst;
}

function until(refusal: LimitRefusal): number {
  return refusal.resetsAtMs ?? Number.POSITIVE_INFINITY;
}
