// Owns `ledger continue`: a store whose logs were rolled back goes on under new origins, the former logs archived.

import { join, resolve } from 'node:path';
import { describeFinding } from '@countersign/sdk/ledger/describe-verification';
import type { Progress } from '@countersign/sdk/ledger/progress';
import { verifyDirectory } from '@countersign/sdk/ledger/verify-directory';
import { writeExport } from '@countersign/sdk/ledger/write-export';
import type { ClosingLog, ContinueAsked, ContinuedLog } from '@countersign/server/compose/continue-logs';
import type { Command, Invocation } from '../command.ts';
import { readFilled } from '../input-file.ts';
import { type ExitCode, FailedError, type Machine, tried } from '../machine.ts';
import { withProgress } from '../progress.ts';
import { safeJson, safeLine } from '../safe-text.ts';
import { serverEnv, settingFlags } from './server.ts';

/** `org_01`, `org_01-2`: what is behind the host in an origin. */
function nameOf(origin: string): string {
  return origin.slice(origin.indexOf('/') + 1).replaceAll('/', '-');
}

/** Writes the complete export of a log below `directory`, and verifies what was written. */
async function archiveInto(
  directory: string,
  log: ClosingLog,
  progress: Progress | undefined,
): Promise<string> {
  const folder = join(directory, nameOf(log.origin));
  const { verifierKey: vkey, checkpoint, succession } = log;
  const beside = succession === undefined ? {} : { succession };
  await tried(() => writeExport(folder, { vkey, checkpoint, ...beside, bundles: log.bundles() }, progress));
  const verified = await verifyDirectory(folder, { vkey, since: checkpoint }, progress);
  if (!verified.ok)
    throw new FailedError(`the archive \`${folder}\` does not verify: ${describeFinding(verified.finding)}`);
  return folder;
}

function linesOf({ closed, citedSize, origin, verifierKey, version }: ContinuedLog): readonly string[] {
  const lost = citedSize - closed.size;
  return [
    `closed    \`${closed.origin}\`: ${closed.size} entries, archived and verified in \`${closed.archive}\``,
    `continues \`${origin}\`, which cites the checkpoint with ${citedSize} entries${lost > 0 ? `: ${lost} were lost` : ''}`,
    `          from version ${version}, with the verifier key ${verifierKey}`,
  ].map(safeLine);
}

const afterwards = `keep the archive, the checkpoints that you held, and give the new verifier keys to whoever verifies
before callers come in: end again what was ended since the backup (keys, people, agents, issuers), and erase anew who was erased
budgets have forgotten what was spent since the backup
`;

/**
 * A file with checkpoints that somebody kept, which the store is held to. Read here and not once more: it may be a pipe.
 * Throws a UsageError for none.
 */
function keptFile(machine: Machine, file: string): ContinueAsked['held'][number] {
  return { file, text: readFilled(machine, file, 'name a checkpoint that you kept') };
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { flags, json, machine } = invocation;
  const directory = resolve(flags.text('archive') ?? '');
  const { continueLogs } = await import('@countersign/server/compose/continue-logs');
  const continued = await continueLogs(await serverEnv(invocation), {
    held: flags.list('held').map((file) => keptFile(machine, file)),
    all: flags.toggle('all') === true,
    archive: (log) => withProgress(invocation, (progress) => archiveInto(directory, log, progress)),
  });
  if (json) machine.out(safeJson(continued));
  else machine.out(`${continued.flatMap(linesOf).join('\n')}\n`);
  machine.err(afterwards);
  return 0;
}

export const ledgerContinue: Command = {
  name: 'ledger continue',
  summary:
    'after a restore, while the server is stopped: archive each log that was rolled back, and go on under a new origin and key',
  positionals: [],
  flags: [
    {
      name: 'archive',
      kind: 'text',
      value: 'DIR',
      description: 'folder for a complete, verified export of each log that is closed',
      required: true,
    },
    {
      name: 'held',
      kind: 'list',
      value: 'FILE',
      description:
        'a checkpoint that you kept, beside those in the file of checkpoints and in COUNTERSIGN_HELD_CHECKPOINT: the new log cites the last one',
    },
    {
      name: 'all',
      kind: 'switch',
      description: 'every log, also where no checkpoint that is known shows that it was rolled back',
    },
    ...settingFlags.filter(({ name }) => name === 'data-dir' || name === 'config'),
  ],
  examples: [
    'ledger continue --archive ./archive',
    'ledger continue --archive ./archive --held ./checkpoint.kept --data-dir /var/lib/countersign',
  ],
  run,
};
