// Checks who reads the installation's own log: the one organization whose installation it is, and none of several.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { insertInstallation } from '../stores/bookkeeping.ts';
import { makeOrganization, openSampleStore, query } from './sample-organization.ts';

const installation = { query: { log: 'installation' } };

test('one organization reads the log of its installation; two of them read neither it nor each other', async (context) => {
  const store = await openSampleStore(context);
  // Its log stands for the installation's.
  const { owner: own } = await makeOrganization(store, 'own');
  await store.db
    .transaction()
    .execute((tx) => insertInstallation(tx, own.orgId, new Uint8Array(1), store.deps.now()));
  const { owner: alice } = await makeOrganization(store, 'alpha');
  const ask = (of: typeof alice) => query(store, of, 'ledger.checkpoint', installation);
  assert.ok(JSON.stringify(await ask(alice)).includes(own.orgId));
  const { owner: bob } = await makeOrganization(store, 'beta');
  const tile = { ...installation, params: { path: 'entries/000.p/1' } };
  for (const [operation, question] of [
    ['ledger.checkpoint', installation],
    ['ledger.tile', tile],
  ] as const) {
    for (const asker of [alice, bob]) {
      const asked = query(store, asker, operation, question);
      await assert.rejects(asked, { code: 'permission_denied', message: /serves several organizations/ });
    }
  }
  assert.ok(JSON.stringify(await query(store, alice, 'ledger.checkpoint')).includes(alice.orgId));
});
