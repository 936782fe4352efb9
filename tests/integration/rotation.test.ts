// Claims about the master key's rotation: secrets are wrapped anew, and then the old key is needed no more.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { restartServer } from '../support/restart.ts';
import { startServer, textAt } from '../support/server.ts';

/** How the master key of now has wrapped subjects' keys: what comes before each one's own ciphertext. */
function wrappings(directory: string): readonly Uint8Array[] {
  const database = new DatabaseSync(join(directory, 'countersign.db'), { readOnly: true });
  const rows = database.prepare('select sealed_key from subjects').all();
  database.close();
  return rows.flatMap(({ sealed_key: key }) => (key instanceof Uint8Array ? [key.subarray(0, 60)] : []));
}

function isWrapped(directory: string, wrapped: readonly Uint8Array[]): boolean {
  const files = readdirSync(directory).map((name) => readFileSync(join(directory, name)));
  return wrapped.some((bytes) => files.some((file) => file.includes(Buffer.from(bytes))));
}

test('after a start with a new first key everything sealed opens with that key alone', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-rotation-'));
  const [older, newer] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
  try {
    const first = await startServer({ directory, env: { COUNTERSIGN_MASTER_KEY: older } });
    await first.api('POST', '/providers', {
      name: 'vendor',
      kind: 'openai_compatible',
      baseUrl: 'https://models.example.com/v1',
      apiKey: 'vendor-key-of-the-test',
    });
    // Each is wrapped anew in a transaction of its own, which copies its neighbours in a page as they are.
    for (const name of ['bob', 'carol', 'dave'])
      await first.api('POST', '/users', { email: `${name}@example.com`, name });
    const wrapped = wrappings(directory);
    assert.equal(isWrapped(directory, wrapped), true);
    await first.stop();
    const both = await restartServer(first, {
      directory,
      env: { COUNTERSIGN_MASTER_KEY: `${newer},${older}` },
    });
    await sleep(500);
    const isLeft = isWrapped(directory, wrapped);
    await both.stop();
    assert.equal(isLeft, false, 'the write-ahead log holds nothing that the old key opens');
    const last = await restartServer(first, { directory, env: { COUNTERSIGN_MASTER_KEY: newer } });
    const owner = await last.api('GET', `/users/${first.ownerId}`);
    assert.equal(textAt(owner.body, 'name'), 'Alice');
    const made = await last.api('POST', '/workspaces', { name: 'after-the-rotation' });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    await last.stop();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
