// Owns what the records of one provider and model add up to: what is told, what is estimated, and between what it lies.

import { type Amounts, nothing, plus } from './amounts.ts';

/** Calls by how well their usage is known. */
export type CallCounts = {
  /** The provider's answer said what was used. */
  readonly told: number;
  /** It did not, or not all of the answer came: the record has our estimate. */
  readonly estimated: number;
  /** The record has no usage: the provider refused or was not reached, or the process ended with the call. */
  readonly untold: number;
  /** Calls of any of these so near to the end of the time that the provider may count them on the other side. */
  readonly moved: number;
};

export type Recorded = {
  /** By the day on which calls left; with estimates, without calls that have no usage. */
  readonly recorded: Amounts;
  /** What of it is estimated. */
  readonly estimated: Amounts;
  /** What a provider that counts as its answers said has billed at the least. */
  readonly low: Amounts;
  /** At the most: estimated and untold calls with what they had reserved. */
  readonly high: Amounts;
  readonly calls: CallCounts;
};

export const noneRecorded: Recorded = {
  recorded: nothing,
  estimated: nothing,
  low: nothing,
  high: nothing,
  calls: { told: 0, estimated: 0, untold: 0, moved: 0 },
};

/** Both together. */
export function plusRecorded(a: Recorded, b: Recorded): Recorded {
  return {
    recorded: plus(a.recorded, b.recorded),
    estimated: plus(a.estimated, b.estimated),
    low: plus(a.low, b.low),
    high: plus(a.high, b.high),
    calls: {
      told: a.calls.told + b.calls.told,
      estimated: a.calls.estimated + b.calls.estimated,
      untold: a.calls.untold + b.calls.untold,
      moved: a.calls.moved + b.calls.moved,
    },
  };
}

/** One call that left, as its intent and its outcome tell. */
export type Attempt = {
  readonly endpoint: string;
  /** The model's name as it was sent. */
  readonly sent: string;
  /** As the provider's answer named it; `sent` where it did not. */
  readonly served: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly kind: Exclude<keyof CallCounts, 'moved'>;
  readonly used: Amounts;
  readonly least: Amounts;
  readonly most: Amounts;
};

/** What a call adds where all of it lies in the time (`whole`), and where it left in the time (`left`). */
export function recordedOf(attempt: Attempt, whole: boolean, left: boolean): Recorded {
  const { kind, used, least, most } = attempt;
  return {
    recorded: left ? used : nothing,
    estimated: left && kind === 'estimated' ? used : nothing,
    low: whole ? least : nothing,
    high: most,
    calls: {
      told: left && kind === 'told' ? 1 : 0,
      estimated: left && kind === 'estimated' ? 1 : 0,
      untold: left && kind === 'untold' ? 1 : 0,
      moved: whole ? 0 : 1,
    },
  };
}
