// Claims about the master key's rotation: secrets are wrapped anew, and then the old key is needed no more.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { restartServer } from '../support/restart.ts';
import { startServer, textAt } from '../support/server.ts';

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
    await first.stop();
    const both = await restartServer(first, {
      directory,
      env: { COUNTERSIGN_MASTER_KEY: `${newer},${older}` },
    });
    await sleep(500);
    await both.stop();
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
