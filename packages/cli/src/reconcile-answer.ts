// Owns the answer of `ledger reconcile`: as text for people, as JSON and as CSV, and whether it is a good one.

import { type CsvColumns, csvText } from '@countersign/contract/csv';
import { measures, type Told } from '@countersign/core/metering/reconcile/amounts';
import type { Row } from '@countersign/core/metering/reconcile/compare-bill';
import { describeVerification } from '@countersign/sdk/ledger/describe-verification';
import { describeReconciliation } from '@countersign/sdk/reconcile/describe-reconciliation';
import type { Reconciliation } from '@countersign/sdk/reconcile/reconcile-export';
import { safeLines } from './safe-text.ts';
import { type Table, tableText } from './table.ts';

function rowsOf({ comparison: { days, whole } }: Reconciliation): readonly Row[] {
  return [...days, ...whole];
}

function uncertainRows(result: Reconciliation): number {
  return rowsOf(result).filter(({ verdict }) => verdict === 'uncertain').length;
}

/** True where no row differs; where it is strict, where each agrees. */
export function isPassed(result: Reconciliation, isStrict: boolean): boolean {
  return result.comparison.ok && (!isStrict || uncertainRows(result) === 0);
}

/** Counts are numbers where a number holds them, else text. */
function plainCount(amount: bigint): number | string {
  const number = Number(amount);
  return Number.isSafeInteger(number) ? number : String(amount);
}

/** A row with its bigints as JSON and CSV can have them. */
function plainRow(row: Row) {
  const told = (amounts: Told) =>
    Object.fromEntries(
      Object.entries(amounts).flatMap(([measure, amount]) =>
        amount === undefined ? [] : [[measure, plainCount(amount)]],
      ),
    );
  const { day, model, verdict, calls, recorded, billed, difference, estimated, low, high } = row;
  const excess = (list: Row['unbilled']) =>
    Object.fromEntries(list.map(({ measure, amount }) => [measure, plainCount(amount)]));
  return {
    day,
    model,
    verdict,
    calls,
    recorded: told(recorded),
    billed: told(billed),
    difference: told(difference),
    estimated: told(estimated),
    atLeast: told(low),
    atMost: told(high),
    unrecorded: excess(row.unrecorded),
    unbilled: excess(row.unbilled),
  };
}

/** The answer as JSON has it. `ok` is what the exit code says. */
export function reconciliationJson(result: Reconciliation, isStrict: boolean): unknown {
  const { logs, provider, comparison, bill, recordedFrom, recordedTo } = result;
  return {
    ok: isPassed(result, isStrict),
    provider,
    forms: bill.forms,
    days: comparison.days.map(plainRow),
    all: comparison.whole.map(plainRow),
    said: describeReconciliation(result),
    recordedFrom,
    recordedTo,
    notCompared: {
      outside: result.outside,
      linesOutside: bill.outside,
      unreadable: result.unreadable,
      endpoints: Object.fromEntries(result.beside),
    },
    logs,
  };
}

const sides = ['recorded', 'billed', 'difference'] as const;

const columns: CsvColumns = [
  ...['day', 'model', 'verdict'].map((name) => ({ name, path: [name], of: 'item' as const })),
  ...measures.flatMap((measure) =>
    sides.map((side) => ({ name: `${measure}.${side}`, path: [side, measure], of: 'item' as const })),
  ),
  ...['told', 'estimated', 'untold'].map((name) => ({
    name: `calls.${name}`,
    path: ['calls', name],
    of: 'item' as const,
  })),
];

const headings = {
  requests: 'requests',
  input: 'input',
  cached: 'cached',
  cacheWrite: 'written',
  output: 'output',
} as const;

function tableOf({ comparison, bill }: Reconciliation): Table {
  const shown = measures.filter((measure) => bill.measures.includes(measure));
  const signed = (amount: bigint): string => (amount > 0n ? `+${amount}` : String(amount));
  return {
    columns: [
      'day',
      'model',
      ...shown.flatMap((measure) => [headings[measure], 'billed', '+/-']),
      'estimated',
      'no usage',
      'verdict',
    ],
    rows: [...comparison.days, ...comparison.whole].map((row) => [
      row.day,
      row.model,
      ...shown.flatMap((measure) => {
        const [billed, apart] = [row.billed[measure], row.difference[measure]];
        return [
          String(row.recorded[measure]),
          billed === undefined ? '-' : String(billed),
          apart === undefined ? '-' : signed(apart),
        ];
      }),
      String(row.calls.estimated),
      String(row.calls.untold),
      row.verdict,
    ]),
  };
}

/** The answer in CSV: a line for each day and model, then for all. */
export function reconciliationCsv(result: Reconciliation): string {
  return csvText(columns, { items: rowsOf(result).map(plainRow) });
}

function strictLines(result: Reconciliation, isStrict: boolean): readonly string[] {
  const uncertain = uncertainRows(result);
  if (!isStrict || uncertain === 0) return [];
  return [`not agreed (--strict): ${uncertain === 1 ? '1 row is' : `${uncertain} rows are`} uncertain`];
}

/** The answer as text for people: the verdict, the differences, the table, and what each export was held against. */
export function reconciliationText(result: Reconciliation, isStrict: boolean): string {
  const [verdict = '', ...more] = describeReconciliation(result);
  const table = result.comparison.whole.length === 0 ? '' : `\n${tableText(tableOf(result))}\n`;
  const verified = result.logs.map(({ directory, verification }) => {
    const where = result.logs.length === 1 ? '' : `\`${directory}\`: `;
    return `${where}${describeVerification(verification, true)}`;
  });
  const lines = [verdict, ...strictLines(result, isStrict), ...more];
  return `${safeLines(lines.join('\n'))}\n${table}${safeLines(verified.join('\n'))}\n`;
}
