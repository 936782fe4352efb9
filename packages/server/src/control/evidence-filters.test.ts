// Owns the claims about filters: usage and records are narrowed by who, where, on whose account and which model.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { isObject } from '@countersign/core/json';
import { recordCall } from './sample-calls.ts';
import {
  type Asker,
  make,
  makeOrganization,
  makePerson,
  openSampleStore,
  query,
} from './sample-organization.ts';

function itemsOf(page: unknown): readonly { readonly [name: string]: unknown }[] {
  assert.ok(isObject(page) && Array.isArray(page.items));
  return page.items.filter(isObject);
}

/** Three calls: the member's in two teams, the member's in one and on another account, the owner's. */
async function open(context: TestContext) {
  const store = await openSampleStore(context);
  const { owner, workspaceId } = await makeOrganization(store, 'acme');
  const member = await makePerson(store, owner, 'member', 'member', workspaceId);
  const blue = await make(store, owner, 'team.create', { name: 'blue', workspaceId });
  const red = await make(store, owner, 'team.create', { name: 'red', workspaceId });
  await recordCall(store, member, { teams: [blue, red].sort(), costNanos: 5, labels: ['payment_card'] });
  await recordCall(store, member, { teams: [blue], costNanos: 7, costCentre: 'R"D 50%' });
  await recordCall(store, owner, { costNanos: 100, model: 'other', costCentre: 'r"d 50%' });
  const costs = async (by: Asker, asked: object) =>
    itemsOf(await query(store, by, 'usage.list', { query: asked })).map(({ costNanos }) => costNanos);
  const recorded = async (by: Asker, asked: object) =>
    itemsOf(await query(store, by, 'record.list', { query: { type: 'model_call', ...asked } })).map(
      ({ usage }) => (isObject(usage) ? usage.costNanos : undefined),
    );
  return { store, owner, member, workspaceId, blue, red, costs, recorded };
}

test('usage is narrowed by each of its groups, and a group of teams to the team that is asked for', async (context) => {
  const { store, owner, member, workspaceId, blue, red, costs } = await open(context);
  assert.deepEqual(await costs(owner, { user: member.principalId }), [12]);
  assert.deepEqual(await costs(owner, { team: red }), [5]);
  assert.deepEqual(await costs(owner, { team: blue, groupBy: 'team' }), [12]);
  assert.deepEqual(await costs(owner, { workspace: workspaceId, groupBy: 'workspace' }), [112]);
  assert.deepEqual(await costs(owner, { costCenter: 'R"D 50%' }), [7]);
  assert.deepEqual(await costs(owner, { model: 'other' }), [100]);
  assert.deepEqual(await costs(owner, { application: 'svc_none' }), []);
  assert.deepEqual(await costs(owner, { user: member.principalId, team: red, model: 'sandbox' }), [5]);
  // A filter shows nobody more than they may see.
  assert.deepEqual(await costs(member, { user: owner.principalId }), []);
  await assert.rejects(query(store, owner, 'usage.list', { query: { person: 'x' } }), {
    code: 'invalid_request',
  });
});

test('usage is grouped by the words that people use, under the names of the contract', async (context) => {
  const { store, owner } = await open(context);
  const page = await query(store, owner, 'usage.list', { query: { groupBy: 'person,cost_centre' } });
  for (const { group } of itemsOf(page)) assert.deepEqual(Object.keys(Object(group)), ['user', 'costCenter']);
});

test('a cost centre is asked for in either spelling, of usage and of records', async (context) => {
  const { owner, costs, recorded } = await open(context);
  for (const ask of [costs, recorded]) {
    for (const name of ['costCenter', 'costCentre'])
      assert.deepEqual(await ask(owner, { [name]: 'R"D 50%' }), [7], name);
    assert.deepEqual(await ask(owner, { costCenter: 'none', costCentre: 'none' }), []);
    await assert.rejects(ask(owner, { costCenter: 'a', costCentre: 'b' }), { code: 'invalid_request' });
  }
});

test('records are narrowed by team, by cost centre as it is written, and by whole labels', async (context) => {
  const { store, owner, member, blue, red, recorded } = await open(context);
  assert.deepEqual(await recorded(owner, { team: blue }), [7, 5]);
  assert.deepEqual(await recorded(owner, { team: red }), [5]);
  assert.deepEqual(await recorded(owner, { costCentre: 'R"D 50%' }), [7]);
  assert.deepEqual(await recorded(owner, { costCentre: 'r"d 50%' }), [100]);
  assert.deepEqual(await recorded(owner, { costCentre: '%' }), []);
  assert.deepEqual(await recorded(owner, { label: 'payment_card' }), [5]);
  assert.deepEqual(await recorded(owner, { label: 'payment' }), []);
  assert.deepEqual(await recorded(member, { team: blue, label: 'payment_card' }), [5]);
  // A pattern is no label: it would match all, and could be one that takes long to match.
  for (const label of ['%', 'payment%', '%_%_%_%'])
    await assert.rejects(query(store, owner, 'record.list', { query: { label } }), {
      code: 'invalid_request',
    });
});
