// Owns `ledger verify`: an export or a receipt checked without any server, and what that does not protect against.

import { existsSync } from 'node:fs';
import { parseLogPolicy } from '@countersign/core/ledger/log-policy';
import { parseVerifierKey, signatureTypes } from '@countersign/core/ledger/note';
import { describeReceipt, describeVerification } from '@countersign/sdk/ledger/describe-verification';
import { heldNote } from '@countersign/sdk/ledger/held-checkpoint';
import { nodeVerifying } from '@countersign/sdk/ledger/node-verifying';
import { type VerifyOptions, verifyDirectory } from '@countersign/sdk/ledger/verify-directory';
import { verifyReceipt } from '@countersign/sdk/ledger/verify-receipt';
import type { Command, Flag, Invocation } from '../command.ts';
import { exportFolder, kindOf } from '../export-folder.ts';
import { readEvidence, readFilled, textOf } from '../input-file.ts';
import { type ExitCode, type Machine, UsageError } from '../machine.ts';
import { withProgress } from '../progress.ts';
import { safeJson, safeLines } from '../safe-text.ts';
import { givenVkey, givenWitnesses, vkeyFlag } from '../verifier-key.ts';

/** What a log is held against, as `ledger verify` and `ledger replay` take it. */
export const againstFlags: readonly Flag[] = [
  vkeyFlag,
  {
    name: 'since',
    kind: 'text',
    value: 'FILE',
    description:
      "a signed checkpoint that you kept, as `ledger checkpoint` prints it or in the API's JSON: shows a log that was cut or rewritten since",
  },
  {
    name: 'witness',
    kind: 'list',
    value: 'KEY|@FILE',
    description:
      'verifier key of a witness that must have cosigned the log or, in `checkpoint.cosigned`, its beginning, else it does not verify',
  },
  {
    name: 'policy',
    kind: 'text',
    value: 'FILE',
    description: 'a tlog-policy file: the log, its witnesses, the quorum',
  },
];

const nextCheckpoint = '`countersign ledger checkpoint` prints one, five lines of a signed note';

/** The text of a file with a checkpoint that was kept. Throws a UsageError for one that holds none. */
export function sinceText(machine: Machine, path: string): string {
  const text = readFilled(machine, path, nextCheckpoint);
  if (heldNote(text) !== undefined) return text;
  throw new UsageError(`\`${path}\` is no checkpoint: ${nextCheckpoint}`);
}

/** The text of a tlog-policy file. Throws a UsageError with the line that cannot be read. */
function policyText(machine: Machine, path: string): string {
  const text = readFilled(machine, path, 'name a tlog-policy file: the log, its witnesses, the quorum');
  const read = parseLogPolicy(nodeVerifying, text);
  if (read.ok) return text;
  throw new UsageError(
    `\`${path}\` is no tlog-policy file: line ${read.line}: ${read.reason}; correct it, or name another`,
  );
}

/** `--witness` and `--policy` as the verifier takes them. */
export function witnessedOf(invocation: Invocation): Pick<VerifyOptions, 'policy' | 'witnesses'> {
  const policy = invocation.flags.text('policy');
  return {
    ...(policy === undefined ? {} : { policy: policyText(invocation.machine, policy) }),
    witnesses: givenWitnesses(invocation),
  };
}

/** The flags above as the verifier takes them. */
export function againstOf(invocation: Invocation): VerifyOptions {
  const { flags, machine } = invocation;
  const vkey = givenVkey(invocation);
  const since = flags.text('since');
  return {
    ...(vkey === undefined ? {} : { vkey }),
    ...(since === undefined ? {} : { since: sinceText(machine, since) }),
    ...witnessedOf(invocation),
  };
}

/** The flag of the former log's key, with what it is for. */
export function formerVkeyFlag(description: string): Flag {
  return { name: 'former-vkey', kind: 'text', value: 'KEY|@FILE', description };
}

/** Where the record's bytes and the log's key lie beside a receipt, as `ledger proof` writes them. */
export function besideReceipt(receipt: string): { readonly record: string; readonly vkey: string } {
  const stem = receipt.replace(/\.tlog-proof$/, '');
  return { record: `${stem}.entry.json`, vkey: `${stem}.vkey` };
}

/** The key that lies beside a receipt, which is held to nothing else. */
function lyingVkey(path: string): string {
  const next = 'give `--vkey`, the verifier key of the log';
  const text = textOf(path, readEvidence(path, next));
  if (parseVerifierKey(nodeVerifying, text.trim())?.type === signatureTypes.ed25519) return text;
  throw new UsageError(`\`${path}\` holds no verifier key of a log: ${next}`);
}

function verifyFile(file: string, invocation: Invocation): ExitCode {
  const { flags, json, machine } = invocation;
  if (!file.endsWith('.tlog-proof'))
    throw new UsageError(`\`${file}\` is neither a directory nor a .tlog-proof file`);
  if (flags.text('since') !== undefined) throw new UsageError('`--since` holds a directory, not one receipt');
  if (flags.text('former-vkey') !== undefined)
    throw new UsageError('`--former-vkey` holds a directory, not one receipt');
  const beside = besideReceipt(file);
  const against = againstOf(invocation);
  const isHeld = against.vkey !== undefined || against.policy !== undefined;
  if (!isHeld && !existsSync(beside.vkey))
    throw new UsageError('give `--vkey`, the verifier key of the log, or a `--policy` that names it');
  const receipt = textOf(file, readEvidence(file, 'name a receipt that `ledger proof` wrote'));
  // Bytes as they are: what is not UTF-8 is no record of the log's, and that is a verdict.
  const record = readEvidence(flags.text('record') ?? beside.record, "name the record's file with --record");
  const result = verifyReceipt(
    receipt,
    record,
    isHeld ? against : { ...against, vkey: lyingVkey(beside.vkey) },
  );
  if (json) machine.out(safeJson(result));
  else {
    machine.out(`${safeLines(describeReceipt(result))}\n`);
    if (result.ok && !isHeld)
      machine.out('the verifier key lay beside the receipt: give --vkey, received apart from it\n');
  }
  return result.ok ? 0 : 1;
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { args, json, machine } = invocation;
  const [path = ''] = args;
  if (kindOf(path, ', or a receipt') === 'file') return verifyFile(path, invocation);
  const directory = exportFolder(path, ', or a receipt');
  const formerVkey = givenVkey(invocation, 'former-vkey');
  const against = { ...againstOf(invocation), ...(formerVkey === undefined ? {} : { formerVkey }) };
  const result = await withProgress(invocation, (progress) => verifyDirectory(directory, against, progress));
  machine.out(json ? safeJson(result) : `${safeLines(describeVerification(result))}\n`);
  return result.ok ? 0 : 1;
}

export const ledgerVerify: Command = {
  name: 'ledger verify',
  summary: 'check an export or a receipt offline: nothing edited, dropped, reordered or cut',
  positionals: [{ name: 'DIR|FILE', required: true, description: 'an export, or a .tlog-proof file' }],
  flags: [
    ...againstFlags,
    formerVkeyFlag(
      'the verifier key that you kept of the log that this one continues: it must have handed over to this log',
    ),
    {
      name: 'record',
      kind: 'text',
      value: 'FILE',
      description: "a receipt's record (else <receipt>.entry.json)",
    },
  ],
  examples: [
    'ledger verify ./audit --vkey @pinned.vkey --since ./last-checkpoint',
    'ledger verify ./audit --former-vkey @former.vkey',
    'ledger verify ./call.tlog-proof',
  ],
  run,
};
