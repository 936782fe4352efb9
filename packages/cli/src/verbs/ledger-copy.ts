// Owns `ledger copy`: the entries of an export as lines for other tools, on standard output and without any server.

import { setImmediate } from 'node:timers/promises';
import type { CopiedEntry } from '@countersign/core/ledger/copies/copied-entry';
import { type CopyForm, copyForms } from '@countersign/core/ledger/copies/formats';
import { copiedEntries } from '@countersign/sdk/ledger/copied-entries';
import { describeVerification } from '@countersign/sdk/ledger/describe-verification';
import { openExport } from '@countersign/sdk/ledger/read-export';
import { type DirectoryVerification, verifyDirectory } from '@countersign/sdk/ledger/verify-directory';
import type { Command, Flag, Flags, Invocation } from '../command.ts';
import { formatNamed, formatWords } from '../copy-flags.ts';
import { exportFolder } from '../export-folder.ts';
import { type ExitCode, FailedError, type Machine, tried, UsageError } from '../machine.ts';
import { safeLines } from '../safe-text.ts';
import { againstFlags, againstOf } from './ledger-verify.ts';

/** As many lines are written at once. */
const batch = 256;

type Verified = Extract<DirectoryVerification, { readonly ok: true }>;

/** The place to begin at: of `--from`, or the first that the held checkpoint does not have. */
function firstPlace(flags: Flags): number | undefined {
  const given = flags.text('from');
  if (given === undefined) return undefined;
  if (flags.text('since') !== undefined)
    throw new UsageError('`--since` begins after the checkpoint: leave `--from` out');
  const place = /^\d{1,16}$/.test(given) ? Number(given) : Number.NaN;
  if (Number.isSafeInteger(place)) return place;
  throw new UsageError(`\`--from\` takes a place, a number from 0, and \`${given}\` is none`);
}

async function verified(directory: string, invocation: Invocation): Promise<Verified> {
  const result = await verifyDirectory(directory, { ...againstOf(invocation), copies: false });
  if (result.ok) return result;
  const [verdict = ''] = describeVerification(result).split('\n');
  throw new FailedError(`nothing was copied: ${safeLines(verdict)}`);
}

/** Waits between the batches: for a slow reader, and so that one that has gone is noticed. */
async function writeLines(
  machine: Machine,
  entries: Iterable<CopiedEntry>,
  line: CopyForm['line'],
): Promise<void> {
  let waiting: string[] = [];
  for (const entry of entries) {
    waiting.push(`${line(entry)}\n`);
    if (waiting.length < batch) continue;
    machine.out(waiting.join(''));
    waiting = [];
    await setImmediate();
    await machine.drained?.();
  }
  if (waiting.length > 0) machine.out(waiting.join(''));
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { args, flags, json, machine } = invocation;
  if (json) throw new UsageError('a copy is in the lines of its format: leave `--json` out');
  const form = copyForms[formatNamed('format', flags.text('format') ?? '')];
  const from = firstPlace(flags);
  const directory = exportFolder(args[0] ?? '');
  const { size, heldSize, key } = await verified(directory, invocation);
  const first = from ?? heldSize;
  if (first > size) throw new FailedError(`the log ends at ${size} entries, before place ${first}`);
  if (key === 'export')
    machine.err('the verifier key came with the export: give --vkey, received apart from it\n');
  if (form.head !== undefined) machine.out(`${form.head}\n`);
  await tried(() => writeLines(machine, copiedEntries(openExport(directory), size, first), form.line));
  return 0;
}

const held: readonly Flag[] = againstFlags.map((flag) =>
  flag.name === 'since'
    ? {
        ...flag,
        description:
          'a signed checkpoint that you kept: the log is held to it, and only what came after is copied',
      }
    : flag,
);

export const ledgerCopy: Command = {
  name: 'ledger copy',
  summary:
    'the entries of an export as OCSF, OpenTelemetry logs, syslog or CSV, verified first, without the server',
  positionals: [{ name: 'DIR', required: true, description: 'a folder that `ledger export` wrote' }],
  flags: [
    {
      name: 'format',
      kind: 'text',
      value: formatWords,
      required: true,
      description: 'one line for each entry goes to standard output',
    },
    {
      name: 'from',
      kind: 'text',
      value: 'PLACE',
      description: 'begin at this place of the log instead of 0',
    },
    ...held,
  ],
  answersInJson: false,
  examples: [
    'ledger copy ./audit --format ocsf --vkey @pinned.vkey',
    'ledger copy ./audit --format syslog --since ./last-checkpoint',
    'ledger copy ./audit --format csv --from 5000',
  ],
  run,
};
