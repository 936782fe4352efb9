// Owns the claims about the note in an export by which the former log's key has handed over.

import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from '@countersign/cli/run-cli';

/** Folders: the new log's export, the former log's archive, and one that is not there yet. */
export type Continued = { readonly exported: string; readonly archived: string; readonly copy: string };

/** Whoever kept the former log's key is led to the new one by the note in the export. */
export async function claimSuccession({ exported, archived, copy }: Continued): Promise<void> {
  const ledger = (words: readonly string[]) => runCli(['ledger', ...words], {});
  const formerKey = join(archived, 'vkey');
  const [formerOrigin = '', size = '', root = ''] = readFileSync(join(archived, 'checkpoint'), 'utf8').split(
    '\n',
  );
  const hex = Buffer.from(root, 'base64').toString('hex');
  const led = await ledger(['verify', exported, '--former-vkey', `@${formerKey}`]);
  assert.equal(led.code, 0, led.out);
  assert.ok(
    led.out.includes(
      `goes on from \`${formerOrigin}\`, which ended with ${size} entries, root ${hex}: its key has signed that, and this log\u2019s key: ${readFileSync(formerKey, 'utf8').trim()}`,
    ),
    led.out,
  );
  assert.match(led.out, /the former log\u2019s key, which you gave, has handed over to it/);
  cpSync(exported, copy, { recursive: true });
  const note = readFileSync(join(exported, 'succession'), 'utf8');
  writeFileSync(join(copy, 'succession'), note.replace(`\n${size}\n`, `\n${Number(size) - 1}\n`));
  const edited = await ledger(['verify', copy]);
  assert.equal(edited.code, 1);
  assert.match(edited.out, /`succession` was not signed by the key of the former log/);
  const replayed = await ledger(['replay', exported, '--former', archived]);
  assert.match(replayed.out, /the key of the archive is the one that has handed over to this log/);
}
