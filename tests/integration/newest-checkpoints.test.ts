// Claims about what the main thread hears of checkpoints: the newest of each log, at a start and until the store has closed.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { initFirst, openStore } from '@countersign/server/compose/store';
import { loadConfig } from '@countersign/server/platform/config/load';
import { until } from '../support/gateway.ts';
import { testEnvironment } from '../support/server.ts';

const directory = mkdtempSync(join(tmpdir(), 'countersign-newest-'));
after(() => rmSync(directory, { recursive: true, force: true }));

/** Opens the store; `heard` is the newest checkpoint of each log that was told. */
async function open() {
  const { config } = loadConfig(testEnvironment(directory), () => '');
  const heard = new Map<string, string>();
  const store = await openStore(config, {
    onStep: () => {},
    onFault: (thread, fault) => assert.fail(`${thread}: ${JSON.stringify(fault)}`),
    onDeath: (reason) => assert.fail(reason),
    onCheckpoints: (grown) => {
      for (const { orgId, checkpoint } of grown) heard.set(orgId, checkpoint);
    },
  });
  return { store, heard };
}

const sizeOf = (note: string | undefined): number => Number(note?.split('\n')[1] ?? 0);

test('the newest checkpoint of each log is told: when it grows, at its store’s end, and at the next start', async () => {
  const first = await open();
  const values = { slug: 'acme', ownerEmail: 'alice@example.com', ownerName: 'Alice' };
  const { organizationId, origin } = await initFirst(first.store, values);
  const { installationId } = first.store.threads.installation;
  assert.ok(await until(() => first.heard.has(organizationId)));
  assert.equal(first.heard.get(organizationId)?.split('\n')[0], origin);
  const before = sizeOf(first.heard.get(installationId));
  await first.store.close(5_000);
  // The last thing that a store does is to copy the organization's checkpoint into the installation's log.
  assert.equal(sizeOf(first.heard.get(installationId)), before + 1);

  const second = await open();
  assert.ok(await until(() => second.heard.size === 2));
  assert.deepEqual(second.heard, first.heard);
  await second.store.close(5_000);
});
