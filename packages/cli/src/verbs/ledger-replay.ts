// Owns `ledger replay`: every decision of an export taken again, without the server.

import { describeExportReplay } from '@countersign/sdk/replay/describe-replay';
import type { ExportReplay } from '@countersign/sdk/replay/replay-directory';
import { replayExport } from '@countersign/sdk/replay/replay-export';
import type { Command, Invocation } from '../command.ts';
import { exportFolder } from '../export-folder.ts';
import { type ExitCode, UsageError } from '../machine.ts';
import { withProgress } from '../progress.ts';
import { safeJson, safeLines } from '../safe-text.ts';
import { givenVkey } from '../verifier-key.ts';
import { againstFlags, againstOf, formerVkeyFlag } from './ledger-verify.ts';

/** Maps as objects, for JSON. */
function plain(result: ExportReplay): unknown {
  if (result.kind !== 'replayed') return result;
  const { replay } = result;
  return {
    ...result,
    replay: {
      ...replay,
      notRetaken: Object.fromEntries(replay.notRetaken),
      differenceKinds: Object.fromEntries(replay.differenceKinds),
    },
  };
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { args, flags, json, machine } = invocation;
  const former = flags.text('former');
  const formerVkey = givenVkey(invocation, 'former-vkey');
  if (former === undefined && formerVkey !== undefined)
    throw new UsageError('`--former-vkey` is the key of an archive: name that with `--former`');
  const options = {
    ...againstOf(invocation),
    ...(former === undefined ? {} : { former: exportFolder(former) }),
    ...(formerVkey === undefined ? {} : { formerVkey }),
  };
  const directory = exportFolder(args[0] ?? '');
  const result = await withProgress(invocation, (progress) => replayExport(directory, options, progress));
  machine.out(json ? safeJson(plain(result)) : `${safeLines(describeExportReplay(result))}\n`);
  return result.kind === 'replayed' && result.replay.differenceCount === 0 ? 0 : 1;
}

export const ledgerReplay: Command = {
  name: 'ledger replay',
  summary: 'rebuild directory and policy from an export and take every decision again',
  positionals: [{ name: 'DIR', required: true, description: 'an export' }],
  flags: [
    ...againstFlags,
    {
      name: 'former',
      kind: 'text',
      value: 'DIR',
      description:
        'the archive of the log that this one continues: what it begins with is compared with the end of that',
    },
    formerVkeyFlag("that log's verifier key, received earlier and apart from its archive"),
  ],
  examples: [
    'ledger replay ./audit',
    'ledger replay ./audit --vkey @pinned.vkey --json',
    'ledger replay ./audit --former ./archive/org_01 --former-vkey @former.vkey',
  ],
  run,
};
