// Owns the sums of a provider's calls by UTC day and model, in memory that grows with days and models alone.

import { dayMs } from '../period.ts';
import type { Span } from './bill.ts';
import { type Attempt, noneRecorded, plusRecorded, type Recorded, recordedOf } from './recorded.ts';

/**
 * How far a provider's clock and ours, and the moments that each takes for a call's, may lie apart. A call that is
 * nearer to midnight may be counted on either side of it.
 */
export const slackMs = 5 * 60_000;

/** By the beginning of the UTC day, and by the model's name. */
export type ByDay = ReadonlyMap<number, ReadonlyMap<string, Recorded>>;

export type ProviderSums = {
  readonly days: ByDay;
  /** Over the whole time of the bill: a call that days pass to each other is one here. */
  readonly whole: ReadonlyMap<string, Recorded>;
  /** Calls that left before or after the time of the bill. */
  readonly outside: number;
  /** Calls of endpoints that the bill is not about, by endpoint. */
  readonly beside: ReadonlyMap<string, number>;
};

export type AttemptSums = {
  readonly add: (attempt: Attempt) => void;
  readonly sums: () => ProviderSums;
};

type Cells = Map<string, Recorded>;

function addTo(cells: Cells, model: string, more: Recorded): void {
  cells.set(model, plusRecorded(cells.get(model) ?? noneRecorded, more));
}

/** One time with its sums: of calls whose model is known, and of those that named only what they sent. */
type Period = { readonly known: Cells; readonly pending: Cells };

/**
 * The sums by model. A call whose answer named no model was one of those that other answers to the name that it sent
 * have named, or that name itself: it stands with the one that is likely, may be each, and is certain of none.
 */
function resolved({ known, pending }: Period, servedFor: ReadonlyMap<string, ReadonlySet<string>>): Cells {
  const cells = new Map(known);
  for (const [sent, sum] of pending) {
    const names = new Set([sent, ...(servedFor.get(sent) ?? [])]);
    const others = [...names].slice(1);
    const likely = others.length === 1 ? (others[0] ?? sent) : sent;
    addTo(cells, likely, others.length === 0 ? sum : { ...sum, low: noneRecorded.low });
    for (const name of names) if (name !== likely) addTo(cells, name, { ...noneRecorded, high: sum.high });
  }
  return cells;
}

/** Sums attempts of one provider over the times of a bill, by endpoint. `nameOf` gives a model's name in the result. */
export function sumAttempts(
  spans: ReadonlyMap<string, Span>,
  nameOf: (model: string) => string,
): AttemptSums {
  const days = new Map<number, Period>();
  const whole: Period = { known: new Map(), pending: new Map() };
  const servedFor = new Map<string, Set<string>>();
  const beside = new Map<string, number>();
  let outside = 0;

  const put = (period: Period, attempt: Attempt, isWhole: boolean, isLeft: boolean): void => {
    const isNamed = attempt.kind === 'told' || attempt.served !== attempt.sent;
    const cells = isNamed ? period.known : period.pending;
    addTo(cells, nameOf(isNamed ? attempt.served : attempt.sent), recordedOf(attempt, isWhole, isLeft));
  };

  const learn = ({ kind, sent, served }: Attempt): void => {
    if (kind !== 'told') return;
    const name = nameOf(sent);
    const names = servedFor.get(name) ?? new Set();
    servedFor.set(name, names.add(nameOf(served)));
  };

  const add = (attempt: Attempt): void => {
    const span = spans.get(attempt.endpoint);
    if (span === undefined) {
      beside.set(attempt.endpoint, (beside.get(attempt.endpoint) ?? 0) + 1);
      return;
    }
    learn(attempt);
    const { fromMs, toMs } = attempt;
    const [first, last] = [fromMs - slackMs, Math.max(fromMs, toMs) + slackMs];
    const isIn = ({ startMs, endMs }: Span, ms: number): boolean => ms >= startMs && ms < endMs;
    if (!isIn(span, fromMs)) outside += 1;
    if (last < span.startMs || first >= span.endMs) return;
    put(whole, attempt, isIn(span, first) && isIn(span, last), isIn(span, fromMs));
    const from = Math.floor(Math.max(first, span.startMs) / dayMs) * dayMs;
    for (let day = from; day <= last && day < span.endMs; day += dayMs) {
      const part = { startMs: Math.max(day, span.startMs), endMs: Math.min(day + dayMs, span.endMs) };
      const period = days.get(day) ?? { known: new Map(), pending: new Map() };
      days.set(day, period);
      put(period, attempt, isIn(part, first) && isIn(part, last), isIn(part, fromMs));
    }
  };

  return {
    add,
    sums: () => ({
      days: new Map([...days].map(([day, period]) => [day, resolved(period, servedFor)])),
      whole: resolved(whole, servedFor),
      outside,
      beside,
    }),
  };
}
