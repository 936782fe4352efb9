// Claims about the file of checkpoints: the anchor against the operator that is on by default only ever grows.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { initStore } from '@countersign/server/compose/init-store';
import { requestApi, textAt } from '../support/server.ts';
import { processEnv, startProcess, within } from '../support/server-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'countersign-checkpoints-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const file = join(directory, 'checkpoints.log');
const notes = (): readonly string[] =>
  readFileSync(file, 'utf8')
    .split(/(?<=^— .*\n)\n/m)
    .filter((note) => note !== '');
const sizeOf = (note: string): number => Number(note.split('\n')[1]);

test('each checkpoint is appended within a second, is the signed one, and outlives a restart', async (t) => {
  const env = processEnv(directory);
  const values = { slug: 'acme', ownerEmail: 'alice@example.com', ownerName: 'Alice' };
  const { managementKey, organizationId } = await initStore(env, values);
  let before = '';
  for (const name of ['first', 'second']) {
    const running = await startProcess({ env });
    t.after(running.kill);
    const made = await requestApi(running.url, managementKey, 'POST', '/workspaces', { name });
    assert.equal(made.status, 201);
    const asked = await requestApi(running.url, managementKey, 'GET', '/ledger/checkpoint', undefined);
    const signed = textAt(asked.body, 'checkpoint');
    await sleep(1_500);
    const text = readFileSync(file, 'utf8');
    assert.ok(text.startsWith(before), 'what was written stays');
    assert.ok(
      text.length > before.length && text.includes(`${signed}\n`),
      'the newest one is there, verbatim',
    );
    before = text;
    running.signal('SIGTERM');
    assert.equal((await within(20_000, 'the end of the process', running.ended)).code, 0);
  }
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const own = notes().filter((note) => note.split('\n')[0]?.endsWith(organizationId));
  const sizes = own.map(sizeOf);
  assert.ok(sizes.length >= 2);
  assert.deepEqual(
    sizes,
    sizes.toSorted((a, b) => a - b),
  );
});
