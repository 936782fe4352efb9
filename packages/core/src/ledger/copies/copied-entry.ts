// Owns what every copy of an entry is made from, and the readings of an entry that all formats share.

import { assertNever } from '../../errors.ts';
import type { Entry } from '../entry.ts';
import type { alertKinds, Status } from '../entry-fields.ts';

/** An entry with its exact text and its proof's handles: its place in the tree, and its leaf hash in hex. */
export type CopiedEntry = {
  readonly entry: Entry;
  readonly text: string;
  readonly index: number;
  readonly leaf: string;
};

/** How an entry ended; undefined for an intent under which something was sent, and for what does not end. */
export function statusOf(entry: Entry): Status | undefined {
  return 'status' in entry ? entry.status : undefined;
}

export function requestOf(entry: Entry): string | undefined {
  return 'req' in entry ? entry.req : undefined;
}

export function targetOf(entry: Entry) {
  return 'target' in entry ? entry.target : undefined;
}

export function policyOf(entry: Entry) {
  return 'policy' in entry ? entry.policy : undefined;
}

export function failureOf(entry: Entry) {
  return 'err' in entry ? entry.err : undefined;
}

export function usageOf(entry: Entry) {
  return 'usage' in entry ? entry.usage : undefined;
}

/** The type, and of a call its phase: `model_call.outcome`. */
export function kindOf(entry: Entry): string {
  return 'phase' in entry ? `${entry.type}.${entry.phase}` : entry.type;
}

/**
 * A moment as milliseconds since 1970; 0, which the formats take as unknown, where it names no moment that there is.
 * `Date.parse` takes 30 February for 2 March and 24:00 for the next day, which are not what was written.
 */
export function millisecondsOf(moment: string): number {
  const time = Date.parse(moment);
  return time > 0 && new Date(time).toISOString() === moment ? time : 0;
}

/** A few words for who reads lines: what it is, which operation, how it ended. */
export function summaryOf(entry: Entry): string {
  const operation = 'op' in entry ? [entry.op] : [];
  const status = statusOf(entry);
  return [kindOf(entry), ...operation, ...(status === undefined ? [] : [status])].join(' ');
}

/** How much an entry asks for attention, in four steps that all formats have. */
export type Gravity = 'informational' | 'warning' | 'error' | 'critical';

const alertGravities: { readonly [K in (typeof alertKinds)[number]]: Gravity } = {
  budget_warning: 'warning',
  budget_exhausted: 'error',
  unknown_price: 'warning',
  log_altered: 'critical',
};

function gravityOfStatus(status: Status): Gravity {
  switch (status) {
    case 'ok':
      return 'informational';
    case 'denied':
    case 'refused':
    case 'cancelled':
    case 'cut':
    case 'unknown':
      return 'warning';
    case 'failed':
    case 'upstream_error':
      return 'error';
    default:
      return assertNever(status);
  }
}

/**
 * Failures are errors, and so is a budget that is used up; what was refused, cut or warned of is a warning. A log that is
 * not what was signed is critical.
 */
export function gravityOf(entry: Entry): Gravity {
  if (entry.type === 'alert') return alertGravities[entry.alert.kind];
  if (entry.type === 'refused_credentials') return 'warning';
  const status = statusOf(entry);
  return status === undefined ? 'informational' : gravityOfStatus(status);
}

/** Token counts as others count them: those read from a cache or written to one are part of the input. */
export function tokensOf(usage: NonNullable<ReturnType<typeof usageOf>>): {
  readonly input: bigint;
  readonly output: bigint;
} {
  const sum = (...counts: readonly (number | undefined)[]) =>
    counts.reduce<bigint>((total, count) => total + BigInt(count ?? 0), 0n);
  return {
    input: sum(usage.in, usage.cached, usage.cache_write, usage.cache_write_1h),
    output: sum(usage.out, usage.reasoning),
  };
}
