// Owns `ledger reconcile`: an export compared with what a provider says was used, offline.

import { type CsvColumns, csvText } from '@countersign/contract/csv';
import { measures, type Told } from '@countersign/core/metering/reconcile/amounts';
import { BillError, type BillForm, billForms, dayText } from '@countersign/core/metering/reconcile/bill';
import type { Row, Tolerance } from '@countersign/core/metering/reconcile/compare-bill';
import { startOfDay } from '@countersign/core/metering/reconcile/csv-bills';
import { type Bill, gatherBill } from '@countersign/core/metering/reconcile/gather-bill';
import { readBill } from '@countersign/core/metering/reconcile/read-bill';
import { describeFinding, describeVerification } from '@countersign/sdk/ledger/describe-verification';
import { describeReconciliation } from '@countersign/sdk/reconcile/describe-reconciliation';
import {
  type ExportReconciliation,
  type Reconciliation,
  reconcileExport,
} from '@countersign/sdk/reconcile/reconcile-export';
import type { Command, Flags, Invocation } from '../command.ts';
import { exportFolder } from '../export-folder.ts';
import { readFilled } from '../input-file.ts';
import { type ExitCode, UsageError } from '../machine.ts';
import { withProgress } from '../progress.ts';
import { safeJson, safeLines } from '../safe-text.ts';
import { type Table, tableText } from '../table.ts';
import { againstFlags, againstOf } from './ledger-verify.ts';

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

function plain(result: Reconciliation): unknown {
  const { verification, provider, comparison, bill, recordedFrom, recordedTo } = result;
  return {
    ok: comparison.ok,
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
    verification,
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

function dayOf(flags: Flags, name: 'from' | 'to'): number | undefined {
  const text = flags.text(name);
  if (text === undefined) return undefined;
  const ms = startOfDay(text);
  if (ms !== undefined) return ms;
  throw new UsageError(`\`--${name}\` takes a UTC day such as \`2026-03-31\`, not \`${text}\``);
}

function formOf(flags: Flags): BillForm | undefined {
  const text = flags.text('format');
  const form = billForms.find((each) => each === text);
  if (text === undefined || form !== undefined) return form;
  throw new UsageError(
    `\`--format\` takes one of ${billForms.map((each) => `\`${each}\``).join(', ')}, not \`${text}\``,
  );
}

/** `theirs=ours`, more than once. Both sides are compared under `ours`. */
function aliasesOf(flags: Flags): ReadonlyMap<string, string> {
  const aliases = new Map<string, string>();
  for (const text of flags.list('model')) {
    const [, theirs, ours] = /^([^=]+)=([^=]+)$/.exec(text) ?? [];
    if (theirs === undefined || ours === undefined)
      throw new UsageError(`\`--model\` takes two names such as \`gpt-x-2026-03-01=gpt-x\`, not \`${text}\``);
    if (aliases.has(theirs)) throw new UsageError(`\`--model\` names \`${theirs}\` twice`);
    aliases.set(theirs, ours);
  }
  return aliases;
}

function toleranceOf(flags: Flags): Tolerance {
  const percent = flags.text('tolerance') ?? '0';
  const requests = flags.text('tolerance-requests') ?? '0';
  const [, whole = '', part = ''] = /^(\d{1,2})(?:\.(\d{1,3}))?$/.exec(percent) ?? [];
  if (whole === '') throw new UsageError(`\`--tolerance\` takes percent such as \`0.5\`, not \`${percent}\``);
  if (!/^\d{1,9}$/.test(requests))
    throw new UsageError(`\`--tolerance-requests\` takes a whole number, not \`${requests}\``);
  return { tokenParts: BigInt(whole) * 1000n + BigInt(part.padEnd(3, '0')), requests: BigInt(requests) };
}

const nextBill = "name a usage report of the provider's";

function billOf({ flags, machine }: Invocation): Bill {
  const form = formOf(flags);
  const [fromMs, toMs] = [dayOf(flags, 'from'), dayOf(flags, 'to')];
  if (fromMs !== undefined && toMs !== undefined && toMs < fromMs)
    throw new UsageError(`\`--to\` ${dayText(toMs)} lies before \`--from\` ${dayText(fromMs)}`);
  const files = flags.list('bill');
  const twice = files.find((file, i) => files.indexOf(file) !== i);
  if (twice !== undefined) throw new UsageError(`\`--bill\` names \`${twice}\` twice`);
  const pages = files.flatMap((file) => readBill(file, readFilled(machine, file, nextBill), form));
  return gatherBill(pages, { fromMs, toMs, keys: flags.list('bill-key') });
}

/** Compares. A bill that cannot be read or compared is wrong usage: 1 is for a difference. */
async function compared(invocation: Invocation): Promise<ExportReconciliation> {
  const { args, flags } = invocation;
  try {
    const directory = exportFolder(args[0] ?? '');
    const options = {
      against: againstOf(invocation),
      bill: billOf(invocation),
      provider: flags.text('provider'),
      aliases: aliasesOf(flags),
      tolerance: toleranceOf(flags),
    };
    return await withProgress(invocation, (progress) => reconcileExport(directory, options, progress));
  } catch (error) {
    throw error instanceof BillError ? new UsageError(error.message) : error;
  }
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { flags, json, machine } = invocation;
  const result = await compared(invocation);
  if (result.kind === 'not_verified') {
    machine.out(
      json ? safeJson(result) : `${safeLines(`NOT VERIFIED: ${describeFinding(result.finding)}`)}\n`,
    );
    return 1;
  }
  const { days, whole, ok } = result.comparison;
  if (json) machine.out(safeJson(plain(result)));
  else if (flags.toggle('csv') === true)
    machine.out(csvText(columns, { items: [...days, ...whole].map(plainRow) }));
  else {
    machine.out(`${safeLines(describeReconciliation(result).join('\n'))}\n`);
    if (whole.length > 0) machine.out(`\n${tableText(tableOf(result))}\n`);
    machine.out(`${safeLines(describeVerification(result.verification, true))}\n`);
  }
  return ok ? 0 : 1;
}

export const ledgerReconcile: Command = {
  name: 'ledger reconcile',
  summary:
    "compare an export with the provider's own usage report: calls beside the gateway, missing records",
  positionals: [{ name: 'DIR', required: true, description: 'an export' }],
  flags: [
    {
      name: 'bill',
      kind: 'list',
      value: 'FILE',
      required: true,
      description: "a file of the provider's: JSON of its usage API, or CSV",
    },
    {
      name: 'format',
      kind: 'text',
      value: 'FORM',
      description: 'the form of the files, where their content does not tell it:',
      form: billForms,
    },
    {
      name: 'provider',
      kind: 'text',
      value: 'NAME',
      description: 'whose bill it is, by its name in the records; needed where they have several',
    },
    {
      name: 'model',
      kind: 'list',
      value: 'THEIRS=OURS',
      description: 'compare a model under another name, on both sides',
    },
    { name: 'bill-key', kind: 'list', value: 'ID', description: "only lines of this key of the provider's" },
    {
      name: 'from',
      kind: 'text',
      value: 'DAY',
      description: 'the first UTC day (else where the bill begins)',
    },
    { name: 'to', kind: 'text', value: 'DAY', description: 'the last UTC day (else where the bill ends)' },
    {
      name: 'tolerance',
      kind: 'text',
      value: 'PERCENT',
      description: 'by how much tokens may differ (else 0)',
    },
    {
      name: 'tolerance-requests',
      kind: 'text',
      value: 'N',
      description: 'by how many requests a row may differ (else 0)',
    },
    {
      name: 'csv',
      kind: 'switch',
      description: 'answer in CSV: a line for each day and model, then for all',
    },
    ...againstFlags,
  ],
  examples: [
    'ledger reconcile ./audit --bill completions.json --bill embeddings.json --vkey @pinned.vkey',
    'ledger reconcile ./audit --provider anthropic --bill march.csv --from 2026-03-01 --to 2026-03-31',
  ],
  run,
};
