// Owns the comparison of what records add up to with what a provider billed: by day and model, and as a whole.

import { dayMs } from '../period.ts';
import { type Measure, measures, plusTold, type Told } from './amounts.ts';
import { type BillLine, dayText } from './bill.ts';
import type { Bill } from './gather-bill.ts';
import { noneRecorded, type Recorded } from './recorded.ts';
import type { ProviderSums } from './sum-attempts.ts';

export type Tolerance = {
  /** Tokens of a hundred thousand that may differ. */
  readonly tokenParts: bigint;
  readonly requests: bigint;
};

/** How much one side has beyond all that the other could have. */
export type Excess = { readonly measure: Measure; readonly amount: bigint };

export type Row = Recorded & {
  /** The UTC day, or `all`: the whole time of the bill. */
  readonly day: string;
  readonly model: string;
  readonly billed: Told;
  /** Billed less recorded, of what the bill tells. */
  readonly difference: Told;
  /**
   * `agrees`: no difference; `uncertain`: no more than the calls whose usage or day is not certain can make up;
   * `differs`: more.
   */
  readonly verdict: 'agrees' | 'uncertain' | 'differs';
  /** Billed beyond the most that the records allow. */
  readonly unrecorded: readonly Excess[];
  /** Recorded as told by the provider, beyond what was billed. */
  readonly unbilled: readonly Excess[];
};

export type Comparison = {
  readonly days: readonly Row[];
  readonly whole: readonly Row[];
  /** True where no row differs. */
  readonly ok: boolean;
};

function allowance(tolerance: Tolerance, measure: Measure, amount: bigint): bigint {
  return measure === 'requests' ? tolerance.requests : (amount * tolerance.tokenParts) / 100_000n;
}

function rowOf(day: string, model: string, recorded: Recorded, billed: Told, tolerance: Tolerance): Row {
  const difference: { [M in Measure]?: bigint } = {};
  const unrecorded: Excess[] = [];
  const unbilled: Excess[] = [];
  let isSame = true;
  for (const measure of measures) {
    const said = billed[measure];
    if (said === undefined) continue;
    const ours = recorded.recorded[measure];
    const [low, high] = [recorded.low[measure], recorded.high[measure]];
    const apart = said - ours;
    difference[measure] = apart;
    if ((apart < 0n ? -apart : apart) > allowance(tolerance, measure, ours)) isSame = false;
    if (said - high > allowance(tolerance, measure, high)) unrecorded.push({ measure, amount: said - high });
    if (low - said > allowance(tolerance, measure, low)) unbilled.push({ measure, amount: low - said });
  }
  const isApart = unrecorded.length + unbilled.length > 0;
  const verdict = isApart ? 'differs' : isSame ? 'agrees' : 'uncertain';
  return { ...recorded, day, model, billed, difference, verdict, unrecorded, unbilled };
}

/** Of a model without a line: none, in each measure that the bill would tell. */
function noneBilled(told: readonly Measure[]): Told {
  return Object.fromEntries(told.map((measure) => [measure, 0n]));
}

function billedBy(lines: readonly BillLine[], nameOf: (model: string) => string): ReadonlyMap<string, Told> {
  const sums = new Map<string, Told>();
  for (const { model, told } of lines) {
    const name = nameOf(model);
    const sum = sums.get(name);
    sums.set(name, sum === undefined ? told : plusTold(sum, told));
  }
  return sums;
}

function rowsOf(
  day: string,
  recorded: ReadonlyMap<string, Recorded>,
  billed: ReadonlyMap<string, Told>,
  told: readonly Measure[],
  tolerance: Tolerance,
): readonly Row[] {
  const models = [...new Set([...recorded.keys(), ...billed.keys()])].toSorted();
  return models
    .map((model) =>
      rowOf(
        day,
        model,
        recorded.get(model) ?? noneRecorded,
        billed.get(model) ?? noneBilled(told),
        tolerance,
      ),
    )
    .filter((row) => !isEmpty(row));
}

/** Nothing left on this day and nothing was billed: only calls of a day beside could have been counted here. */
function isEmpty({ calls, billed, verdict }: Row): boolean {
  const none = measures.every((measure) => (billed[measure] ?? 0n) === 0n);
  return verdict !== 'differs' && none && calls.told + calls.estimated + calls.untold === 0;
}

/** Compares. `nameOf` gives the name under which a model of either side stands, as it did for the sums. */
export function compareBill(
  bill: Bill,
  sums: ProviderSums,
  nameOf: (model: string) => string,
  tolerance: Tolerance,
): Comparison {
  const linesOf = Map.groupBy(bill.lines, ({ startMs }) => Math.floor(startMs / dayMs) * dayMs);
  const starts = [...new Set([...linesOf.keys(), ...sums.days.keys()])].toSorted((a, b) => a - b);
  const days = starts.flatMap((start) =>
    rowsOf(
      dayText(start),
      sums.days.get(start) ?? new Map(),
      billedBy(linesOf.get(start) ?? [], nameOf),
      bill.measures,
      tolerance,
    ),
  );
  const whole = rowsOf('all', sums.whole, billedBy(bill.lines, nameOf), bill.measures, tolerance);
  return { days, whole, ok: [...days, ...whole].every(({ verdict }) => verdict !== 'differs') };
}
