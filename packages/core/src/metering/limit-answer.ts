// Owns what a caller is told about limits: the refusal's sentence, and the headers that fall with use.

import { AppError } from '../errors.ts';
import { utcText } from './period.ts';
import type { LimitRefusal } from './rules.ts';

/** A per-minute measure's limit, what is left of it, and the milliseconds until all of it is free again. */
export type RateRoom = { readonly limit: number; readonly remaining: number; readonly resetMs: number };

/** What is left for calls like this one: of each kind, the tightest that applies. Undefined: nothing limits it. */
export type Headroom = {
  readonly budget:
    | {
        readonly id: string;
        readonly name: string;
        readonly limitNanos: number;
        readonly remainingNanos: number;
        readonly resetsAtMs: number | null;
      }
    | undefined;
  readonly requests: RateRoom | undefined;
  readonly tokens: RateRoom | undefined;
};

/** Whole seconds until a refused call could pass, at least 1; `undefined` if waiting does not help. */
export function retryAfterSeconds(refusal: LimitRefusal, nowMs: number): number | undefined {
  if (refusal.resetsAtMs === null) return undefined;
  return Math.max(1, Math.ceil((refusal.resetsAtMs - nowMs) / 1000));
}

/** The refusal as an error: which budget or limit, how much is used of what, and when or how the call could pass. */
export function refusalError(refusal: LimitRefusal, nowMs: number): AppError {
  const wait = retryAfterSeconds(refusal, nowMs);
  const advice =
    refusal.resetsAtMs === null
      ? 'ask for fewer tokens, or ask an administrator to raise it'
      : refusal.code === 'budget_exceeded'
        ? `it resets at ${utcText(refusal.resetsAtMs)}; ask for fewer tokens, or ask an administrator to raise it`
        : `try again in ${wait} s`;
  return new AppError(refusal.code, `${factText(refusal)}; ${advice}`, {
    subject: refusal.id,
    ...(wait === undefined ? {} : { retryAfterSeconds: wait }),
  });
}

function factText(refusal: LimitRefusal): string {
  const { name, limit, used, reserved, wanted } = refusal;
  switch (refusal.measure) {
    case 'nanos':
      return (
        `budget \`${name}\` has ${moneyText(used)} of ${moneyText(limit)} spent and ${moneyText(reserved)} reserved, ` +
        `and this call may cost ${moneyText(wanted)}`
      );
    case 'requests_per_minute':
      return `rate limit \`${name}\` allows ${limit} requests a minute, and ${used} were made`;
    case 'tokens_per_minute':
      return `rate limit \`${name}\` allows ${limit} tokens a minute, ${used} are taken, and this call may use ${wanted}`;
    case 'concurrent':
      return `rate limit \`${name}\` allows ${limit} calls at a time, and ${reserved} are running`;
  }
}

/** Nano-units of USD as a decimal without needless zeros: `1500000000` is `1.5 USD`. */
export function moneyText(nanos: number): string {
  const digits = String(Math.abs(nanos)).padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  return `${nanos < 0 ? '-' : ''}${digits.slice(0, -9)}${fraction === '' ? '' : `.${fraction}`} USD`;
}

type RateNames = { readonly limit: string; readonly remaining: string; readonly reset: string };

const requestNames: RateNames = {
  limit: 'x-ratelimit-limit-requests',
  remaining: 'x-ratelimit-remaining-requests',
  reset: 'x-ratelimit-reset-requests',
};
const tokenNames: RateNames = {
  limit: 'x-ratelimit-limit-tokens',
  remaining: 'x-ratelimit-remaining-tokens',
  reset: 'x-ratelimit-reset-tokens',
};

function pushRate(flat: string[], names: RateNames, { limit, remaining, resetMs }: RateRoom): void {
  flat.push(
    names.limit,
    String(limit),
    names.remaining,
    String(Math.max(0, remaining)),
    names.reset,
    `${Math.ceil(resetMs / 1000)}s`,
  );
}

/** Adds the response headers for what is left (name, value, …), in the form that OpenAI's clients read; budgets in nano-units. */
export function pushLimitHeaders(flat: string[], room: Headroom): void {
  if (room.requests !== undefined) pushRate(flat, requestNames, room.requests);
  if (room.tokens !== undefined) pushRate(flat, tokenNames, room.tokens);
  if (room.budget !== undefined)
    flat.push('x-countersign-budget-remaining', String(Math.max(0, room.budget.remainingNanos)));
}
