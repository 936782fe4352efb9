// Owns the claims about agents in administration: which commands are theirs, and that every other one refuses them.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { commands } from './commands.ts';
import { command, make, makeOrganization, openSampleStore } from './sample-organization.ts';

const denied = { code: 'permission_denied', message: /^an agent cannot do this/ };

/** What an agent may ask for. Whoever adds a line here says why the result goes on naming the agent. */
const theirs: ReadonlySet<string> = new Set([
  // Keys of the agent itself: what they do is recorded with it.
  'key.create',
  'key.update',
  'key.rotate',
  'key.revoke',
  // Changes nothing; the entry names the agent and the reason.
  'record.content',
]);

/** The software's own: no request names it, with an agent or without. */
const internal = 'user.provision';

async function open(context: TestContext) {
  const store = await openSampleStore(context);
  const { owner, workspaceId } = await makeOrganization(store, 'acme');
  const agent = await make(store, owner, 'agent.create', { name: 'helper', workspaceId });
  return { store, owner, workspaceId, through: { ...owner, agent } };
}

test("every command but a few refuses an owner's agent, whatever it asks", async (context) => {
  const { store, through } = await open(context);
  for (const id of commands.keys()) {
    if (id === internal) continue;
    // Input that fits nothing: a command that refuses it for its form has let the agent past.
    const isOpen = await command(store, through, id).then(
      () => true,
      (error: unknown) => !(error instanceof Error && denied.message.test(error.message)),
    );
    assert.equal(isOpen, theirs.has(id), id);
  }
  assert.deepEqual(
    [...theirs].filter((id) => !commands.has(id)),
    [],
  );
});

test('an agent of an owner trusts no issuer, gives no role and brings nobody in', async (context) => {
  const { store, owner, through, workspaceId } = await open(context);
  const issuer = {
    name: 'idp',
    issuer: 'https://idp.example.com',
    keys: { kind: 'discovery' },
    justInTime: true,
    workspaceId,
  };
  const service = await make(store, owner, 'service.create', { name: 'app', workspaceId });
  const attempts: readonly (readonly [string, object])[] = [
    ['token_issuer.create', issuer],
    ['role_assignment.create', { principalId: service, role: 'admin' }],
    ['user.create', { email: 'second-self@people.example', name: 'second self' }],
    ['service.create', { name: 'second-self', workspaceId }],
    ['budget.create', { name: 'b', scope: { kind: 'organization' }, period: 'month', limitNanos: 1 }],
  ];
  for (const [operation, body] of attempts)
    await assert.rejects(command(store, through, operation, { body }), denied, operation);
  const id = await make(store, owner, 'token_issuer.create', issuer);
  const keys = { kind: 'jwks_uri', url: 'https://elsewhere.example.com/jwks' };
  const swap = { params: { id }, body: { keys } };
  await assert.rejects(command(store, through, 'token_issuer.update', swap), denied);
});
