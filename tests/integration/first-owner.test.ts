// Claims about the first owner: whoever gave no name is named all the same, where records say who it was.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runCli } from '@countersign/cli/run-cli';
import { requestApi, textAt } from '../support/server.ts';
import { processEnv, startProcess } from '../support/server-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'countersign-owner-'));
after(() => rmSync(directory, { recursive: true, force: true }));

test('an owner without a name is called by what the address begins with', async (t) => {
  const words = [
    'init',
    '--org',
    'acme',
    '--owner',
    'alice.b@example.com',
    '--data-dir',
    directory,
    '--json',
  ];
  const made = await runCli(words);
  assert.equal(made.code, 0, made.err);
  const key = textAt(JSON.parse(made.out), 'managementKey');
  const running = await startProcess({ env: processEnv(directory) });
  t.after(running.kill);
  await requestApi(running.url, key, 'POST', '/workspaces', { name: 'first' });
  const env = { COUNTERSIGN_URL: running.url, COUNTERSIGN_KEY: key };
  const listed = await runCli(['records', '--event', 'workspace.create', '--json'], env);
  const told = await runCli(['who', textAt(JSON.parse(listed.out), 'items.0.id')], env);
  assert.match(told.out, /^alice\.b \(user usr_\S+, owner\).* did workspace\.create at /, told.err);
});
