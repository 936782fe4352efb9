// Claims about the way back where the last management key of the only owner is gone: made beside no server, and recorded.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { recoverOwnerKey } from '@countersign/server/compose/init-store';
import { assertReplays, storageOf } from '../../support/replayed-store.ts';
import { at, requestApi, textAt } from '../../support/server.ts';
import { initProcessStore, processEnv, startProcess } from '../../support/server-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-owner-key-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('the last management key of the only owner is revoked, and whoever holds the store makes another, which the ledger says', async (t) => {
  const env = processEnv(join(folder, 'store'));
  const made = await initProcessStore(env);
  const first = await startProcess({ env });
  t.after(first.kill);
  const keys = await requestApi(first.url, made.managementKey, 'GET', '/keys', undefined);
  const items = at(keys.body, 'items');
  assert.ok(Array.isArray(items));
  const own = items.find((item) => at(item, 'use') === 'management');
  const path = `/keys/${textAt(own, 'id')}/revoke`;
  assert.equal((await requestApi(first.url, made.managementKey, 'POST', path, {})).status, 200);
  assert.equal((await requestApi(first.url, made.managementKey, 'GET', '/keys', undefined)).status, 401);
  await assert.rejects(recoverOwnerKey(env, null), /another countersign process is using/);
  first.signal('SIGTERM');
  await first.ended;

  await assert.rejects(recoverOwnerKey(env, 'bob@example.com'), /no active owner: name one of usr_/);
  const recovered = await recoverOwnerKey(env, 'alice@example.com');
  assert.equal(recovered.ownerId, made.ownerId);
  assert.equal((await recoverOwnerKey(env, null)).ownerId, made.ownerId);

  const second = await startProcess({ env });
  t.after(second.kill);
  const asked = (of: string) => requestApi(second.url, recovered.managementKey, 'GET', of, undefined);
  const ends = Date.parse(textAt((await asked(`/keys/${recovered.keyId}`)).body, 'expiresAt')) - Date.now();
  assert.ok(ends > 86_000_000 && ends <= 86_400_000, String(ends));
  const body = { name: 'lasting', use: 'management' };
  const lasting = await requestApi(second.url, recovered.managementKey, 'POST', '/keys', body);
  assert.deepEqual([lasting.status, at(lasting.body, 'expiresAt')], [201, undefined]);
  const records = (await asked('/records?event=key.recover')).body;
  assert.deepEqual([at(records, 'items.0.event'), at(records, 'items.2')], ['key.recover', undefined]);
  const entry = JSON.stringify((await asked(`/records/${recovered.entryId}`)).body);
  assert.match(
    entry,
    /made without a key, while no server ran, by whoever holds the store and its master key/,
  );
  assert.match(entry, /"kind":"system"/);
  second.signal('SIGTERM');
  await second.ended;
  await assertReplays(storageOf(env));
});

test('where there is no store, none is made', async () => {
  const directory = join(folder, 'nowhere');
  await assert.rejects(recoverOwnerKey(processEnv(directory), null), /there is no database in/);
  assert.ok(!readdirSync(folder).includes('nowhere'));
});
