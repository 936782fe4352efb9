// Owns the words for a comparison with a bill: each difference in a sentence, and what was not compared.

import type { Measure } from '@countersign/core/metering/reconcile/amounts';
import { momentText } from '@countersign/core/metering/reconcile/bill';
import type { Excess, Row } from '@countersign/core/metering/reconcile/compare-bill';
import { slackMs } from '@countersign/core/metering/reconcile/sum-attempts';
import { formerText, gapNotes, sharedNotes } from './describe-logs.ts';
import type { Reconciliation } from './reconcile-export.ts';

const words: { readonly [M in Measure]: readonly [one: string, many: string] } = {
  requests: ['request', 'requests'],
  input: ['input token', 'input tokens'],
  cached: ['token read from the cache', 'tokens read from the cache'],
  cacheWrite: ['token written to the cache', 'tokens written to the cache'],
  output: ['output token', 'output tokens'],
};

function counted(amount: bigint | number, [one, many]: readonly [string, string]): string {
  return `${amount} ${BigInt(amount) === 1n ? one : many}`;
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

function excess(list: readonly Excess[]): string {
  return listed(list.map(({ measure, amount }) => counted(amount, words[measure])));
}

function where({ day, model }: Row): string {
  return day === 'all' ? `of \`${model}\` over the whole time` : `of \`${model}\` on ${day}`;
}

/** The sentences of the rows that differ, each kind with what it may mean. */
function differences(rows: readonly Row[]): readonly string[] {
  return rows.flatMap((row) => [
    ...(row.unrecorded.length === 0
      ? []
      : [
          `billed but not recorded: ${excess(row.unrecorded)} ${where(row)}: somebody uses the provider's key beside the gateway, the key has other users, or records are missing`,
        ]),
    ...(row.unbilled.length === 0
      ? []
      : [
          `recorded but not billed: ${excess(row.unbilled)} ${where(row)}: the bill leaves out a day, a key or a project, is not complete yet, or has the model under another name`,
        ]),
  ]);
}

/** Rows of the whole time that say what no row of a day says: days that are each within what is uncertain can add up. */
function onlyWhole(days: readonly Row[], whole: readonly Row[]): readonly Row[] {
  const said = (model: string, side: 'unrecorded' | 'unbilled'): boolean =>
    days.some((row) => row.model === model && row[side].length > 0);
  return whole
    .map((row) => ({
      ...row,
      unrecorded: said(row.model, 'unrecorded') ? [] : row.unrecorded,
      unbilled: said(row.model, 'unbilled') ? [] : row.unbilled,
    }))
    .filter(({ unrecorded, unbilled }) => unrecorded.length + unbilled.length > 0);
}

/** A model that only one side has may be one that the other side names otherwise. */
function nameHint(whole: readonly Row[]): readonly string[] {
  const isBilled = ({ billed }: Row): boolean => Object.values(billed).some((amount) => (amount ?? 0n) > 0n);
  const isRecorded = ({ calls }: Row): boolean => calls.told + calls.estimated + calls.untold > 0;
  const names = (rows: readonly Row[]): string => listed(rows.map(({ model }) => `\`${model}\``));
  const theirs = whole.filter((row) => isBilled(row) && !isRecorded(row));
  const ours = whole.filter((row) => isRecorded(row) && !isBilled(row) && row.unbilled.length > 0);
  const [first, second] = [theirs[0], ours[0]];
  if (first === undefined || second === undefined) return [];
  return [
    `only the bill has ${names(theirs)}, only the records have ${names(ours)}: where two of them are one model, say so: --model ${first.model}=${second.model}`,
  ];
}

function callNotes(whole: readonly Row[]): readonly string[] {
  const sum = (kind: keyof Row['calls']): number => whole.reduce((all, row) => all + row.calls[kind], 0);
  const calls = ['call', 'calls'] as const;
  const [estimated, untold] = [sum('estimated'), sum('untold')];
  return [
    ...(estimated === 0
      ? []
      : [
          `${counted(estimated, calls)} with an estimated usage: up to what was reserved for them is taken as billed`,
        ]),
    ...(untold === 0
      ? []
      : [
          `${counted(untold, calls)} without a usage (refused by the provider, not reached, or cut off with the process): each may have been counted as a request or not`,
        ]),
  ];
}

function missingNotes(result: Reconciliation): readonly string[] {
  const { logs, outside, beside, unreadable, bill, recordedFrom, recordedTo } = result;
  const calls = ['call', 'calls'] as const;
  const besides = [...beside].map(([endpoint, count]) => `${count} of \`${endpoint}\``);
  const spans = [...bill.spans.values()];
  const start = Math.min(...spans.map(({ startMs }) => startMs));
  const end = Math.max(...spans.map(({ endMs }) => endMs));
  return [
    ...gapNotes(logs),
    ...sharedNotes(logs),
    ...(outside === 0
      ? []
      : [`not compared: ${counted(outside, calls)} before or after the time of the bill`]),
    ...(besides.length === 0
      ? []
      : [`not compared: calls of endpoints that the bill is not about: ${listed(besides)}`]),
    ...(bill.outside === 0
      ? []
      : [`not compared: ${counted(bill.outside, ['line', 'lines'])} of the bill outside of --from and --to`]),
    ...(unreadable === 0
      ? []
      : [`not compared: ${counted(unreadable, ['entry', 'entries'])} that cannot be read, or close no call`]),
    ...(Date.parse(recordedFrom) > start
      ? [
          `the log begins at ${recordedFrom}, after the bill does: what was billed before that is not recorded in it${formerText(logs)}`,
        ]
      : []),
    ...(Date.parse(recordedTo) < end
      ? [
          `the export ends at ${recordedTo}, before the bill does: what was billed after that is not recorded in it, export again`,
        ]
      : []),
  ];
}

/** From when to when the bill speaks; several where its reports differ. */
function times({ bill }: Reconciliation): string {
  const all = [...bill.spans.values()].map(
    ({ startMs, endMs }) => `${momentText(startMs)} to ${momentText(endMs)}`,
  );
  return listed([...new Set(all)]);
}

/** The result as lines of plain text, above the table of days and models. The first line is the verdict. */
export function describeReconciliation(result: Reconciliation): readonly string[] {
  const { days, whole, ok } = result.comparison;
  const uncertain = whole.some(({ verdict }) => verdict === 'uncertain');
  const verdict = ok
    ? uncertain
      ? 'no difference beyond what cannot be told'
      : 'no difference'
    : 'DIFFERENT';
  const models = counted(whole.length, ['model', 'models']);
  return [
    `${verdict}: calls to \`${result.provider}\` and its bill, ${times(result)} (end not included), ${models}`,
    ...differences(days),
    ...differences(onlyWhole(days, whole)),
    ...nameHint(whole),
    ...callNotes(whole),
    ...missingNotes(result),
    `a call within ${slackMs / 60_000} minutes of midnight may count on either day; the rows \`all\` count it once`,
    ...(result.bill.measures.includes('requests')
      ? []
      : ['this bill counts no requests: a call beside the gateway shows by its tokens alone']),
  ];
}
