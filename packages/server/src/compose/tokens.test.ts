// Owns the claims about tokens at a running server: whom they prove, whom they bring, and what holds when that changes.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '../platform/config/load.ts';
import { createLog } from '../platform/log/log.ts';
import { createShutdown } from '../platform/shutdown/shutdown.ts';
import { makeKey, makeToken, openSampleIssuer } from '../services/authn/sample-issuer.ts';
import { serve } from './serve.ts';
import { initFirst } from './store.ts';

const key = makeKey('ES256', 'e1');

/** A server with its organization, which may reach the provider at `host`. */
async function start(context: TestContext, host: string) {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-tokens-'));
  const environment = {
    COUNTERSIGN_LISTEN: '127.0.0.1:0',
    COUNTERSIGN_DATA_DIR: directory,
    COUNTERSIGN_PUBLIC_URL: 'http://gateway.test',
    COUNTERSIGN_LOG_LEVEL: 'silent',
    COUNTERSIGN_EGRESS_ALLOW: host,
  };
  const { config } = loadConfig(environment, () => '');
  const shutdown = createShutdown(() => performance.now());
  const server = await serve(config, createLog({ level: config.logLevel }), shutdown);
  context.after(async () => {
    await shutdown.begin('the test has ended');
    rmSync(directory, { recursive: true, force: true });
  });
  const first = { slug: 'acme', ownerEmail: 'owner@example.com', ownerName: 'Owner' };
  return { server, made: await initFirst(server.store, first) };
}

async function open(context: TestContext) {
  const provider = await openSampleIssuer(context, [key]);
  const { server, made } = await start(context, new URL(provider.url).host);
  const { organizationId, workspaceId } = made;

  async function api(method: string, path: string, body?: unknown): Promise<Map<string, unknown>> {
    const answer = await fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${made.managementKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json: unknown = await answer.json();
    assert.ok(answer.ok, JSON.stringify(json));
    return new Map(Object.entries(Object(json)));
  }
  const issuer = await api('POST', '/token-issuers', {
    name: 'corp',
    issuer: provider.url,
    keys: { kind: 'discovery' },
    claims: { subject: 'sub', email: 'email', name: 'name', roles: 'groups' },
    roleMap: { users: 'member', audit: 'auditor' },
    justInTime: true,
    workspaceId,
  });
  const token = (claims: object = {}): string => {
    const iat = Math.floor(Date.now() / 1000);
    const usual = { iss: provider.url, aud: issuer.get('audience'), sub: 'alice', groups: ['users'] };
    return makeToken(key, { ...usual, iat, exp: iat + 300, ...claims });
  };
  /** A model call; gives its status. */
  const call = async (text: string, path = '/v1/chat/completions'): Promise<number> => {
    const answer = await fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${text}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] }),
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  const snapshot = () => server.gateway.organizations.snapshots.get(organizationId);
  /** People whom the issuer brought, with their roles. */
  const people = async () => {
    const { directory: now } = await snapshot();
    return [...now.usersByExternal.values()].map(({ id, status }) => ({
      id,
      status,
      roles: [...(now.byPrincipal.roles.get(id)?.values() ?? [])].map(({ role }) => role),
    }));
  };
  return { provider, api, token, call, people, snapshot, issuerId: String(issuer.get('id')) };
}

test('many first requests of one person make one person, and each of them is served', async (context) => {
  const { token, call, people, snapshot, api } = await open(context);
  const before = (await snapshot()).version();
  const tokens = Array.from({ length: 12 }, (_, i) => token({ jti: String(i) }));
  assert.deepEqual(new Set(await Promise.all(tokens.map((text) => call(text)))), new Set([200]));
  const [alice, ...others] = await people();
  assert.deepEqual(others, []);
  assert.deepEqual(alice?.roles, ['member']);
  assert.equal((await snapshot()).version(), before + 1);
  const page = JSON.stringify([...(await api('GET', '/records?limit=5'))]);
  assert.ok(page.includes(alice.id));
});

test('many people may come for the first time at once: none is turned away', async (context) => {
  const { token, call, people } = await open(context);
  const tokens = Array.from({ length: 60 }, (_, i) => token({ sub: `person ${i}` }));
  assert.deepEqual(new Set(await Promise.all(tokens.map((text) => call(text)))), new Set([200]));
  assert.equal((await people()).length, 60);
});

test('the newest token of a person says what they are; an older one gives nothing back', async (context) => {
  const { token, call, people, snapshot } = await open(context);
  const iat = Math.floor(Date.now() / 1000) - 20;
  const older = token({ iat, groups: ['users', 'audit'] });
  assert.equal(await call(older), 200);
  assert.deepEqual((await people())[0]?.roles.toSorted(), ['auditor', 'member']);
  const newer = token({ iat: iat + 10 });
  assert.equal(await call(newer), 200);
  assert.deepEqual((await people())[0]?.roles, ['member']);
  const version = (await snapshot()).version();
  for (const text of [older, newer, older, token({ iat: iat + 10, groups: ['audit'] })])
    assert.equal(await call(text), 200);
  assert.deepEqual((await people())[0]?.roles, ['member']);
  assert.equal((await snapshot()).version(), version);
  assert.notEqual(await call(token({ iat: iat + 15, groups: ['strangers'] })), 200);
  assert.deepEqual((await people())[0]?.roles, []);
});

test('what the map of an issuer no longer gives is taken at the next request, also with the token that brought it', async (context) => {
  const { token, call, people, api, issuerId } = await open(context);
  const iat = Math.floor(Date.now() / 1000);
  const [older, newest] = [iat - 10, iat].map((at) => token({ iat: at, groups: ['users', 'audit'] }));
  assert.equal(await call(older ?? ''), 200);
  assert.equal(await call(newest ?? ''), 200);
  assert.deepEqual((await people())[0]?.roles.toSorted(), ['auditor', 'member']);
  await api('PATCH', `/token-issuers/${issuerId}`, { roleMap: { users: 'member' } });
  assert.equal(await call(newest ?? ''), 200);
  assert.deepEqual((await people())[0]?.roles, ['member']);
  await api('PATCH', `/token-issuers/${issuerId}`, { roleMap: { nobody: 'member' } });
  assert.notEqual(await call(older ?? ''), 200);
  assert.deepEqual((await people())[0]?.roles, []);
});

test('a person who is suspended, and an issuer that is, end at the next request with the same token', async (context) => {
  const { token, call, people, api, issuerId } = await open(context);
  const text = token();
  assert.equal(await call(text), 200);
  const [alice] = await people();
  await api('PATCH', `/users/${alice?.id}`, { status: 'suspended' });
  assert.equal(await call(text), 401);
  assert.equal(await call(token({ groups: ['audit'] })), 401);
  assert.deepEqual(await people(), [{ ...alice, status: 'suspended' }]);
  await api('PATCH', `/users/${alice?.id}`, { status: 'active' });
  assert.equal(await call(text), 200);
  await api('PATCH', `/token-issuers/${issuerId}`, { status: 'suspended' });
  assert.equal(await call(text), 401);
});

test('a token for another audience, of another issuer, or past its end brings nobody', async (context) => {
  const { token, call, people } = await open(context);
  assert.equal(await call(token({ aud: 'urn:countersign:org_01m81j18g4frr8kyd8xaa9pctz' })), 401);
  assert.equal(await call(token({ iss: 'https://other.example.com' })), 401);
  const iat = Math.floor(Date.now() / 1000) - 1000;
  assert.equal(await call(token({ iat, exp: iat + 300 })), 401);
  assert.deepEqual(await people(), []);
});

test('an issuer that may not make people brings nobody, and no version is made', async (context) => {
  const { token, call, people, api, issuerId, snapshot } = await open(context);
  await api('PATCH', `/token-issuers/${issuerId}`, { justInTime: false });
  const version = (await snapshot()).version();
  assert.equal(await call(token()), 401);
  assert.deepEqual(await people(), []);
  assert.equal((await snapshot()).version(), version);
});
