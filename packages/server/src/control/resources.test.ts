// Owns the claims about keys, providers, models, limits and classifiers.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { mostTeams } from '@countersign/core/directory/objects';
import { recordCall } from './sample-calls.ts';
import {
  command,
  make,
  makeOrganization,
  makePerson,
  openSampleStore,
  query,
  textOf,
} from './sample-organization.ts';

const invalid = { code: 'invalid_request' };
const canary = 'sk-canary-4f1d9a';

async function open(context: TestContext) {
  const store = await openSampleStore(context);
  const organization = await makeOrganization(store, 'acme');
  const { owner } = organization;
  return {
    store,
    organization,
    owner,
    run: (operation: string, id: string | undefined, body?: unknown) =>
      command(store, owner, operation, { params: id === undefined ? {} : { id }, body }),
  };
}

function itemsOf(page: unknown): readonly unknown[] {
  assert.ok(typeof page === 'object' && page !== null && 'items' in page && Array.isArray(page.items));
  const items: readonly unknown[] = page.items;
  return items;
}

test('a rotated key keeps its id, overlaps as told, and its former secret ends with it', async (context) => {
  const { store, owner, run } = await open(context);
  const made = await command(store, owner, 'key.create', { body: { name: 'k' } });
  const id = textOf(made, 'id');
  const rotated = await run('key.rotate', id, { overlapSeconds: 60 });
  assert.notEqual(textOf(rotated, 'key'), textOf(made, 'key'));
  assert.equal(textOf(rotated, 'key').split('_')[1], textOf(made, 'key').split('_')[1]);
  const until = Date.parse(textOf(rotated, 'overlapUntil'));
  assert.ok(until > store.clock.nowMs + 50_000 && until <= store.clock.nowMs + 60_000);
  const revoked = await run('key.revoke', id, {});
  assert.equal('overlapUntil' in Object(revoked), false);
  for (const operation of ['key.rotate', 'key.update'])
    await assert.rejects(run(operation, id, {}), { code: 'conflict' });
  assert.equal(textOf(await run('key.revoke', id, {}), 'status'), 'revoked');
});

test('a replay of a write shows no secret again, and another request under its key is refused', async (context) => {
  const { store, owner } = await open(context);
  const question = { body: { name: 'k' }, idempotencyKey: 'once' };
  const first = await command(store, owner, 'key.create', question);
  const replay = await command(store, owner, 'key.create', question);
  assert.equal(textOf(replay, 'id'), textOf(first, 'id'));
  assert.equal('key' in Object(replay), false);
  await assert.rejects(command(store, owner, 'key.create', { ...question, body: { name: 'other' } }), {
    code: 'conflict',
  });
});

test('keys are listed without hashes, and to a member only their own', async (context) => {
  const { store, owner } = await open(context);
  const page = await query(store, owner, 'key.list', { query: {} });
  assert.equal(itemsOf(page).length, 2);
  assert.equal(/hash|[0-9a-f]{64}/.test(JSON.stringify(page)), false);
  const member = await makePerson(store, owner, 'member', 'member');
  const own = await make(store, member, 'key.create', { name: 'mine' });
  const seen = itemsOf(await query(store, member, 'key.list', { query: {} }));
  assert.deepEqual(
    seen.map((item) => textOf(item, 'id')),
    [own],
  );
  const params = { id: textOf(itemsOf(page)[0], 'id') };
  await assert.rejects(query(store, member, 'key.get', { params }), { code: 'not_found' });
});

test("a provider's key is sealed, committed to, never shown, and never sent to another host", async (context) => {
  const { store, owner, run } = await open(context);
  const body = { name: 'openai', kind: 'openai', baseUrl: 'https://api.example.com/v1', apiKey: canary };
  const made = await command(store, owner, 'provider.create', { body });
  const id = textOf(made, 'id');
  const commitment = createHash('sha256').update(`${id}\u0000${canary}`).digest('hex');
  const stored = await store.db.selectFrom('objects').select('state').where('id', '=', id).execute();
  assert.ok(stored[0]?.state.includes(commitment));
  const sealed = await store.db.selectFrom('provider_keys').select('sealed').execute();
  assert.equal(sealed.length, 1);
  assert.equal(Buffer.from(sealed[0]?.sealed ?? []).includes(canary), false);
  const shown = JSON.stringify([made, await query(store, owner, 'provider.get', { params: { id } })]);
  assert.equal(shown.includes(canary) || shown.includes(commitment), false);
  assert.ok(shown.includes('"hasKey":true'));
  await assert.rejects(run('provider.update', id, { baseUrl: 'https://thief.example.com' }), invalid);
  await run('provider.update', id, { baseUrl: 'https://api.example.com/v2' });
  await run('provider.update', id, { baseUrl: 'https://new.example.com', apiKey: 'sk-new' });
});

test('a provider needs its URL, the sandbox takes none and no key, and no URL carries a secret', async (context) => {
  const { run } = await open(context);
  const refused = [
    { name: 'a', kind: 'openai' },
    { name: 'b', kind: 'sandbox', apiKey: 'x' },
    { name: 'c', kind: 'sandbox', baseUrl: 'https://api.example.com' },
    { name: 'd', kind: 'openai', baseUrl: 'https://user:pw@api.example.com' },
    { name: 'e', kind: 'openai', baseUrl: 'https://api.example.com?key=1' },
    { name: 'f', kind: 'openai', baseUrl: 'https://api.example.com', apiKey: 'a\r\nb' },
  ];
  for (const body of refused)
    await assert.rejects(run('provider.create', undefined, body), invalid, body.name);
});

test('a provider stays while models use it, and goes with its sealed key', async (context) => {
  const { store, owner, run } = await open(context);
  const body = { name: 'p', kind: 'openai', baseUrl: 'https://api.example.com', apiKey: canary };
  const providerId = await make(store, owner, 'provider.create', body);
  const model = await make(store, owner, 'model.create', { name: 'm', providerId });
  await assert.rejects(run('provider.remove', providerId), { code: 'conflict' });
  await run('model.remove', model);
  await run('provider.remove', providerId);
  assert.deepEqual(await store.db.selectFrom('provider_keys').select('provider_id').execute(), []);
});

test('a name or an alias leads to one model', async (context) => {
  const { store, owner, run } = await open(context);
  const [provider] = itemsOf(await query(store, owner, 'provider.list', { query: {} }));
  const providerId = textOf(provider, 'id');
  const id = await make(store, owner, 'model.create', { name: 'fast', providerId, aliases: ['quick'] });
  const taken = { code: 'already_exists' };
  for (const names of [{ name: 'quick' }, { name: 'other', aliases: ['fast'] }, { name: 'sandbox' }])
    await assert.rejects(run('model.create', undefined, { ...names, providerId }), taken);
  await assert.rejects(run('model.create', undefined, { name: 'x', aliases: ['x'], providerId }), invalid);
  await assert.rejects(run('model.update', id, { aliases: ['sandbox'] }), taken);
  await run('model.update', id, { aliases: ['quick', 'swift'] });
});

test('a model shows the price in force: its own, the table, or the default', async (context) => {
  const { store, owner, run } = await open(context);
  const body = { name: 'p', kind: 'openai', baseUrl: 'https://api.example.com' };
  const providerId = await make(store, owner, 'provider.create', body);
  const known = await command(store, owner, 'model.create', { body: { name: 'gpt-4o', providerId } });
  assert.equal(textOf(known, 'priceSource'), 'table');
  const unknown = await command(store, owner, 'model.create', { body: { name: 'in-house-9', providerId } });
  assert.equal(textOf(unknown, 'priceSource'), 'default');
  const priced = await run('model.update', textOf(unknown, 'id'), { price: { input: 7, output: 9 } });
  assert.equal(textOf(priced, 'priceSource'), 'override');
  const cleared = await run('model.update', textOf(unknown, 'id'), { price: null });
  assert.equal(textOf(cleared, 'priceSource'), 'default');
});

test('a budget shows what its period has spent, and starts a new period at nothing', async (context) => {
  const { store, owner, organization } = await open(context);
  const [model] = itemsOf(await query(store, owner, 'model.list', { query: {} }));
  const modelId = textOf(model, 'id');
  await recordCall(store, owner, { modelId, costNanos: 700 });
  await recordCall(store, owner, { modelId, costNanos: 50 });
  const scope = { kind: 'person', id: organization.ownerId };
  const body = { name: 'b', scope, period: 'day', limitNanos: 1_000 };
  const id = await make(store, owner, 'budget.create', body);
  const used = async () => {
    const view: unknown = await query(store, owner, 'budget.get', { params: { id } });
    return typeof view === 'object' && view !== null && 'usedNanos' in view ? view.usedNanos : undefined;
  };
  assert.equal(await used(), 750);
  store.clock.nowMs += 86_400_000;
  assert.equal(await used(), 0);
});

test('a rate limit keeps at least one number', async (context) => {
  const { store, owner, run } = await open(context);
  const body = { name: 'r', scope: { kind: 'organization' } };
  await assert.rejects(run('rate_limit.create', undefined, body), invalid);
  const id = await make(store, owner, 'rate_limit.create', { ...body, concurrent: 4 });
  await assert.rejects(run('rate_limit.update', id, { concurrent: null }), invalid);
  await run('rate_limit.update', id, { concurrent: null, tokensPerMinute: 100 });
});

test('a classifier must compile with all others, find something, and leave built-in labels alone', async (context) => {
  const { run } = await open(context);
  const refused = [
    { name: 'a', label: 'project_heron' },
    { name: 'b', label: 'email', terms: ['heron'] },
    { name: 'c', label: 'project_heron', patterns: ['('] },
  ];
  for (const body of refused)
    await assert.rejects(run('classifier.create', undefined, body), invalid, body.name);
  const made = await run('classifier.create', undefined, {
    name: 'd',
    label: 'project_heron',
    terms: ['heron'],
  });
  await assert.rejects(run('classifier.update', textOf(made, 'id'), { terms: [] }), invalid);
});

test('a trusted issuer holds public keys only, and its audience is ours', async (context) => {
  const { store, owner, organization, run } = await open(context);
  const issuer = {
    name: 'idp',
    issuer: 'https://idp.example.com',
    workspaceId: organization.workspaceId,
  };
  const withKey = (key: unknown) => ({ ...issuer, keys: { kind: 'jwks', jwks: { keys: [key] } } });
  for (const key of [
    { kty: 'oct', k: 'c2VjcmV0' },
    { kty: 'OKP', crv: 'Ed25519', x: 'AA', d: 'AA' },
    { kty: 'RSA', n: 'AA', e: 'AQAB', weight: 0.5 },
  ])
    await assert.rejects(run('token_issuer.create', undefined, withKey(key)), invalid);
  const body = withKey({ kty: 'OKP', crv: 'Ed25519', x: 'AA' });
  const made = await command(store, owner, 'token_issuer.create', { body });
  assert.equal(textOf(made, 'audience'), `urn:countersign:${organization.organizationId}`);
  await assert.rejects(run('token_issuer.create', undefined, { ...body, name: 'twin' }), {
    code: 'already_exists',
    message: `the issuer \`${issuer.issuer}\` is trusted already, as \`${issuer.name}\`: change \`${textOf(made, 'id')}\`, or remove it first`,
  });
});

test('a change that would not fit into one record is refused as too large, and leaves nothing', async (context) => {
  const { store, owner, run } = await open(context);
  const terms = Array.from({ length: 1000 }, (_, i) => `${'heron'.repeat(14)}${i}`);
  const body = { name: 'c', label: 'project_heron', terms };
  await assert.rejects(run('classifier.create', undefined, body), { code: 'payload_too_large' });
  assert.deepEqual(itemsOf(await query(store, owner, 'classifier.list', { query: {} })), []);
});

test('two applications never share a client id', async (context) => {
  const { store, owner, organization, run } = await open(context);
  const { workspaceId } = organization;
  await make(store, owner, 'service.create', { name: 'one', workspaceId, clientId: 'app-1' });
  const two = await make(store, owner, 'service.create', { name: 'two', workspaceId });
  await assert.rejects(run('service.update', two, { clientId: 'app-1' }), { code: 'already_exists' });
});

test('a removed team takes its memberships along', async (context) => {
  const { store, owner, organization, run } = await open(context);
  const { workspaceId, ownerId } = organization;
  const teamId = await make(store, owner, 'team.create', { name: 'blue', workspaceId });
  await make(store, owner, 'membership.create', { teamId, principalId: ownerId });
  await assert.rejects(run('membership.create', undefined, { teamId, principalId: ownerId }), {
    code: 'already_exists',
  });
  await run('team.remove', teamId);
  assert.deepEqual(itemsOf(await query(store, owner, 'membership.list', { query: {} })), []);
});

test('a person may be in 100 teams: the next one is refused until they leave another', async (context) => {
  const { store, owner, organization, run } = await open(context);
  const { workspaceId, ownerId } = organization;
  const teams: string[] = [];
  for (let i = 0; i <= mostTeams; i += 1)
    teams.push(await make(store, owner, 'team.create', { name: `t${i}`, workspaceId }));
  const [last, ...others] = teams.toReversed();
  let left = '';
  for (const teamId of others)
    left = await make(store, owner, 'membership.create', { teamId, principalId: ownerId });
  const one = { teamId: last, principalId: ownerId };
  const refusal = { code: 'conflict', message: /in 100 teams and may be in 100/ };
  await assert.rejects(run('membership.create', undefined, one), refusal);
  await run('membership.remove', left);
  await run('membership.create', undefined, one);
});

test('networks must be address ranges', async (context) => {
  const { run } = await open(context);
  const of = (cidr: string) => ({ networks: [{ name: 'office', cidrs: [cidr] }] });
  await assert.rejects(run('organization.update', undefined, of('10.0.0.0/33')), invalid);
  await run('organization.update', undefined, of('10.0.0.0/8'));
});
