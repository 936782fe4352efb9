// Owns `ledger reconcile`: an export compared with what a provider says was used, offline.

import { BillError, type BillForm, billForms, dayText } from '@countersign/core/metering/reconcile/bill';
import type { Tolerance } from '@countersign/core/metering/reconcile/compare-bill';
import { startOfDay } from '@countersign/core/metering/reconcile/csv-bills';
import { type Bill, gatherBill } from '@countersign/core/metering/reconcile/gather-bill';
import { readBill } from '@countersign/core/metering/reconcile/read-bill';
import { describeFinding } from '@countersign/sdk/ledger/describe-verification';
import { type ExportReconciliation, reconcileExports } from '@countersign/sdk/reconcile/reconcile-export';
import type { Command, Flags, Invocation } from '../command.ts';
import { readFilled } from '../input-file.ts';
import { type ExitCode, UsageError } from '../machine.ts';
import { withProgress } from '../progress.ts';
import { isPassed, reconciliationCsv, reconciliationJson, reconciliationText } from '../reconcile-answer.ts';
import { safeJson, safeLines } from '../safe-text.ts';
import { againstFolderFlags, askedFolders, severalOwners } from './against-folders.ts';

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

type Compared = Exclude<ExportReconciliation, { readonly kind: 'several_owners' }>;

/** Compares. What cannot be compared is wrong usage: 1 is for a difference. */
async function compared(invocation: Invocation): Promise<Compared> {
  const { args, flags } = invocation;
  try {
    const folders = askedFolders(invocation, args);
    const options = {
      bill: billOf(invocation),
      provider: flags.text('provider'),
      aliases: aliasesOf(flags),
      tolerance: toleranceOf(flags),
    };
    const result = await withProgress(invocation, (progress) => reconcileExports(folders, options, progress));
    if (result.kind !== 'several_owners') return result;
    throw severalOwners(result.folders);
  } catch (error) {
    throw error instanceof BillError ? new UsageError(error.message) : error;
  }
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { args, flags, json, machine } = invocation;
  const isStrict = flags.toggle('strict') === true;
  const result = await compared(invocation);
  if (result.kind === 'not_verified') {
    const where = args.length === 1 ? '' : `\`${result.directory}\`: `;
    const text = `NOT VERIFIED: ${where}${describeFinding(result.finding)}`;
    machine.out(json ? safeJson(result) : `${safeLines(text)}\n`);
    return 1;
  }
  if (json) machine.out(safeJson(reconciliationJson(result, isStrict)));
  else if (flags.toggle('csv') === true) machine.out(reconciliationCsv(result));
  else machine.out(reconciliationText(result, isStrict));
  return isPassed(result, isStrict) ? 0 : 1;
}

export const ledgerReconcile: Command = {
  name: 'ledger reconcile',
  summary:
    "compare an export with the provider's own usage report: calls beside the gateway, missing records",
  positionals: [
    {
      name: 'DIR',
      required: true,
      repeated: true,
      description: 'an export; several of one organization where its log went on as another after a restore',
    },
  ],
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
    {
      name: 'strict',
      kind: 'switch',
      description: 'end with 1 also where a row is uncertain, not only where one differs',
    },
    ...againstFolderFlags,
  ],
  examples: [
    'ledger reconcile ./audit --bill completions.json --bill embeddings.json --vkey @pinned.vkey',
    'ledger reconcile ./audit --provider anthropic --bill march.csv --from 2026-03-01 --to 2026-03-31',
    'ledger reconcile ./archive/org_01 ./audit --bill march.csv --vkey @former.vkey --vkey @pinned.vkey --strict',
  ],
  run,
};
