// Owns the claims about what a key passes on to the next: its end, its need of a person, and who may end it.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { isId } from '@countersign/core/ids';
import {
  type Asker,
  command,
  make,
  makeOrganization,
  makePerson,
  openSampleStore,
  query,
  type SampleStore,
  textOf,
} from './sample-organization.ts';

const denied = { code: 'permission_denied' };

async function open(context: TestContext) {
  const store = await openSampleStore(context);
  const { owner, workspaceId } = await makeOrganization(store, 'acme');
  const member = await makePerson(store, owner, 'member', 'member', workspaceId);
  return { store, owner, workspaceId, member };
}

/** The same asker with a management key that ends in an hour. */
async function endingSoon(store: SampleStore, by: Asker): Promise<Asker & { readonly end: string }> {
  const body = { name: 'short', use: 'management', expiresInSeconds: 3600 };
  const made = await command(store, by, 'key.create', { body });
  const keyId = textOf(made, 'id');
  assert.ok(isId('key', keyId));
  return { ...by, keyId, end: textOf(made, 'expiresAt') };
}

for (const use of ['models', 'management']) {
  test(`a member's key that ends makes no ${use} key that ends later`, async (context) => {
    const { store, member } = await open(context);
    const asker = await endingSoon(store, member);
    const body = { name: 'k', use };
    const made = await command(store, asker, 'key.create', { body });
    assert.equal(textOf(made, 'expiresAt'), asker.end);
    const later = { body: { ...body, expiresInSeconds: 7200 } };
    const reason = {
      ...denied,
      message: new RegExp(`ends at ${asker.end}.*leave \`expiresInSeconds\` out`),
    };
    await assert.rejects(command(store, asker, 'key.create', later), reason);
    const sooner = await command(store, asker, 'key.create', { body: { ...body, expiresInSeconds: 60 } });
    assert.ok(textOf(sooner, 'expiresAt') < asker.end);
  });
}

test('who administers keys makes the next ones with a key that ends, and rotates lasting ones', async (context) => {
  const { store, owner, member, workspaceId } = await open(context);
  const local = await makePerson(store, owner, 'local', 'admin', workspaceId);
  for (const asker of [await endingSoon(store, owner), await endingSoon(store, local)]) {
    for (const principalId of [undefined, member.principalId]) {
      const body = { name: 'k', use: 'management', principalId, expiresInSeconds: 7200 };
      const made = await command(store, asker, 'key.create', { body });
      assert.ok(textOf(made, 'expiresAt') > asker.end);
    }
    const id = await make(store, asker, 'key.create', { name: 'lasting' });
    await command(store, asker, 'key.rotate', { params: { id }, body: {} });
  }
});

test('a key that ends is shown no new secret of one that lives longer, and may rotate itself', async (context) => {
  const { store, member } = await open(context);
  const lasting = await make(store, member, 'key.create', { name: 'k', use: 'management' });
  const asker = await endingSoon(store, member);
  await assert.rejects(command(store, asker, 'key.rotate', { params: { id: lasting }, body: {} }), denied);
  const params = { id: asker.keyId };
  const rotated = await command(store, asker, 'key.rotate', { params, body: {} });
  assert.equal(textOf(rotated, 'expiresAt'), asker.end);
  await command(store, member, 'key.rotate', { params: { id: lasting }, body: {} });
});

test('a service whose keys need a person makes itself none that does not, also after it ended them', async (context) => {
  const { store, owner, workspaceId } = await open(context);
  const principalId = await make(store, owner, 'service.create', { name: 'app', workspaceId });
  assert.ok(isId('service', principalId));
  const service: Asker = { orgId: owner.orgId, principalId, workspaceId };
  await make(store, owner, 'key.create', { name: 'm', principalId, use: 'management' });
  const bound = await make(store, owner, 'key.create', { name: 'k', principalId, requireUser: true });
  const free = { body: { name: 'free' } };
  const reason = { ...denied, message: /^`requireUser` is set by who holds `keys.write`/ };
  await assert.rejects(command(store, service, 'key.create', free), reason);
  await make(store, service, 'key.create', { name: 'k', requireUser: true });
  await command(store, service, 'key.revoke', { params: { id: bound }, body: {} });
  await assert.rejects(command(store, service, 'key.create', free), reason);
  await make(store, owner, 'key.create', { name: 'free', principalId });
  await make(store, service, 'key.create', { name: 'free too' });
});

test('nobody ends a management key of one who holds more; everybody ends their own, and keys for models', async (context) => {
  const { store, owner, workspaceId, member } = await open(context);
  const admin = await makePerson(store, owner, 'admin', 'admin');
  const local = await makePerson(store, owner, 'local', 'admin', workspaceId);
  const end = async (by: Asker, id: string) =>
    textOf(await command(store, by, 'key.revoke', { params: { id }, body: {} }), 'status');
  const agent = await make(store, owner, 'agent.create', { name: 'helper', workspaceId });
  for (const principalId of [owner.principalId, agent]) {
    const key = { name: 'k', principalId, workspaceId };
    const managing = await make(store, owner, 'key.create', { ...key, use: 'management' });
    for (const by of [admin, local]) {
      await assert.rejects(end(by, managing), denied);
      assert.equal(await end(by, await make(store, owner, 'key.create', key)), 'revoked');
    }
    assert.equal(await end(owner, managing), 'revoked');
  }
  const theirs = { name: 'k', use: 'management', principalId: admin.principalId, workspaceId };
  await assert.rejects(end(local, await make(store, owner, 'key.create', theirs)), denied);
  const small = await make(store, member, 'key.create', { name: 'k', use: 'management' });
  assert.equal(await end(local, small), 'revoked');
  const own = await make(store, member, 'key.create', { name: 'k', use: 'management' });
  assert.equal(await end(member, own), 'revoked');
});

test('a key is narrowed to models that are there, and only if it calls models', async (context) => {
  const { store, owner, member } = await open(context);
  const refused = (message: RegExp) => ({ code: 'invalid_request', message });
  const key = (body: object) => command(store, member, 'key.create', { body: { name: 'k', ...body } });
  await assert.rejects(key({ models: ['sandbox', 'nope'] }), refused(/there is no model `nope`/));
  await assert.rejects(
    key({ models: ['sandbox'], use: 'management' }),
    refused(/`models` is for keys that call/),
  );
  const { items } = Object(await query(store, owner, 'model.list', { query: {} }));
  const params = { id: textOf(items[0], 'id') };
  await command(store, owner, 'model.update', { params, body: { aliases: ['toy'] } });
  await assert.rejects(key({ models: ['toy'] }), refused(/`toy` is another name of model `sandbox`/));
  const id = textOf(await key({ models: ['sandbox'] }), 'id');
  const change = (models: readonly string[]) =>
    command(store, member, 'key.update', { params: { id }, body: { models } });
  await assert.rejects(change(['nope']), refused(/there is no model `nope`/));
  // A name that the key has stays, also when its model is gone.
  await command(store, owner, 'model.remove', { params });
  await change(['sandbox']);
  const managing = textOf(await key({ use: 'management' }), 'id');
  const narrow = { params: { id: managing }, body: { models: ['sandbox'] } };
  await assert.rejects(
    command(store, member, 'key.update', narrow),
    refused(/`models` is for keys that call/),
  );
});

test('nothing is recorded at a time at which the key that asked for it had ended', async (context) => {
  const { store, owner } = await open(context);
  const asker = await endingSoon(store, owner);
  const body = { name: 'w' };
  store.clock.nowMs = Date.parse(asker.end) - 10;
  await command(store, asker, 'workspace.create', { body });
  store.clock.nowMs = Date.parse(asker.end);
  const late = command(store, asker, 'workspace.create', { body: { name: 'x' } });
  await assert.rejects(late, { code: 'authentication_failed' });
});
