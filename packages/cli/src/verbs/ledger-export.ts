// Owns `ledger export`: the log through the API into a directory that anyone can verify without us.

import { existsSync } from 'node:fs';
import { ledgerCheckpoint, ledgerTile } from '@countersign/contract/evidence-operations';
import { parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { copyForms } from '@countersign/core/ledger/copies/formats';
import { entriesLevel, type Tile, tileAt, tilePath, tileWidth } from '@countersign/core/ledger/tile';
import type { Client } from '@countersign/sdk/client/client';
import { ProblemError } from '@countersign/sdk/client/client-errors';
import { writeExport } from '@countersign/sdk/ledger/write-export';
import type { Command, Invocation } from '../command.ts';
import { connect, connectionFlags } from '../connection.ts';
import { formatNamed, formatWords } from '../copy-flags.ts';
import { kindOf } from '../export-folder.ts';
import { type ExitCode, FailedError, tried, UsageError } from '../machine.ts';
import { withProgress } from '../progress.ts';
import { safeJson } from '../safe-text.ts';

type Log = 'organization' | 'installation';

function fetchTile(client: Client, log: Log, tile: Tile): Promise<Uint8Array> {
  // The API's path begins after `tile/`.
  const path = tilePath(tile).slice('tile/'.length);
  return client.callBytes(ledgerTile, 'application/octet-stream', { params: { path }, query: { log } });
}

/** The bundles of the first `size` entries. A partial one may have become full since: that holds it too. */
async function* bundlesOf(client: Client, log: Log, size: number): AsyncGenerator<Uint8Array, void> {
  for (let index = 0; index * tileWidth < size; index += 1) {
    const tile = tileAt(size, entriesLevel, index);
    if (tile === undefined) return;
    yield await fetchTile(client, log, tile).catch((error: unknown) => {
      const isGone = error instanceof ProblemError && error.code === 'not_found' && tile.width < tileWidth;
      if (!isGone) throw error;
      return fetchTile(client, log, { ...tile, width: tileWidth });
    });
  }
}

/**
 * The newest cosigned checkpoint; undefined where no witness has cosigned. Asked for before the newest one, so that it
 * is of the same tree or of its beginning.
 */
async function cosignedOf(client: Client, log: Log): Promise<string | undefined> {
  try {
    const { checkpoint } = await client.call(ledgerCheckpoint, { query: { log, cosigned: true } });
    return checkpoint;
  } catch (error) {
    if (error instanceof ProblemError && error.code === 'not_found') return undefined;
    throw error;
  }
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { args, flags, json, machine } = invocation;
  const log = flags.toggle('installation') === true ? 'installation' : 'organization';
  const [directory = ''] = args;
  const copies = flags.list('copy').map((name) => formatNamed('copy', name));
  const isNew = !existsSync(directory);
  if (!isNew && kindOf(directory) === 'file')
    throw new UsageError(`\`${directory}\` is a file: name a folder, absent, empty or an earlier export`);
  const client = connect(invocation);
  const cosigned = await cosignedOf(client, log);
  const { checkpoint, verifierKey, succession } = await client.call(ledgerCheckpoint, { query: { log } });
  const head = parseSignedCheckpoint(checkpoint)?.checkpoint;
  if (head === undefined) throw new FailedError('the server gave no checkpoint that can be read');
  const source = {
    vkey: verifierKey,
    checkpoint,
    ...(cosigned === undefined ? {} : { cosigned }),
    ...(succession === undefined ? {} : { succession }),
    bundles: bundlesOf(client, log, head.size),
    copies,
  };
  const written = await withProgress(invocation, (progress) =>
    tried(() => writeExport(directory, source, progress)),
  );
  if (json) machine.out(safeJson({ directory, origin: head.origin, verifierKey, ...written }));
  else {
    machine.out(
      `${isNew ? 'wrote' : 'replaced'} \`${directory}\`: ${written.size} entries of \`${head.origin}\`, ${written.files} files\n`,
    );
    for (const format of written.dropped)
      machine.out(
        `\`${copyForms[format].file}\` was of the former export: give --copy ${format} to write it again\n`,
      );
    machine.out(`verify it anywhere: countersign ledger verify ${directory} --vkey ${verifierKey}\n`);
  }
  return 0;
}

export const ledgerExport: Command = {
  name: 'ledger export',
  summary: 'write the whole log to a directory, to be verified and replayed without the server',
  positionals: [
    { name: 'DIR', required: true, description: 'absent, empty, or an earlier export of the same log' },
  ],
  flags: [
    {
      name: 'installation',
      kind: 'switch',
      description:
        "the installation's own log instead: refused credentials, and copies of the organization's checkpoints",
    },
    {
      name: 'copy',
      kind: 'list',
      value: formatWords,
      description:
        'the entries in this form too, in a file beside the tiles; copies of an export that is replaced go with it',
    },
    ...connectionFlags,
  ],
  examples: [
    'ledger export ./audit',
    'ledger export ./audit --json',
    'ledger export ./audit --copy ocsf --copy csv',
    'ledger export ./own --installation',
  ],
  run,
};
