// Attacks what is remembered of keys between calls: nothing of it may outlive the version that it belongs to.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
});
after(async () => {
  await running.stop();
});

/** Calls often enough that all that can be remembered of the key is. */
async function warm(key: string): Promise<void> {
  for (let i = 0; i < 3; i += 1) assert.equal((await running.call({ key })).status, 200);
}

async function assertStopped(key: string, why: string): Promise<void> {
  const sent = running.provider.dispatched();
  const answer = await running.call({ key });
  assert.ok(
    answer.status === 401 || answer.status === 403 || answer.status === 404,
    `${why}: ${answer.status}`,
  );
  assert.equal(running.provider.dispatched(), sent, `${why}: it was dispatched`);
}

async function agentOf(name: string) {
  const owner = await running.person(name);
  const made = { name: `${name}-agent`, workspaceId: running.workspaceId, ownerId: owner.id };
  const agentId = textAt(await running.must('POST', '/agents', made), 'id');
  return { owner, agentId, ...(await running.keyFor({ principalId: agentId })) };
}

test('a warm key stops with its agent, and works again when the agent is back', async () => {
  const { agentId, key } = await agentOf('warm-one');
  await warm(key);
  await running.must('PATCH', `/agents/${agentId}`, { status: 'suspended' });
  await assertStopped(key, 'its agent is suspended');
  await running.must('PATCH', `/agents/${agentId}`, { status: 'active' });
  await warm(key);
});

test('a warm key of an agent stops with the agent’s owner', async () => {
  const { owner, key } = await agentOf('warm-two');
  await warm(key);
  await running.must('PATCH', `/users/${owner.id}`, { status: 'suspended' });
  await assertStopped(key, 'the owner is suspended');
});

test('a warm key stops with its service, and outside what it is narrowed to', async () => {
  const made = { name: 'warm-service', workspaceId: running.workspaceId };
  const serviceId = textAt(await running.must('POST', '/services', made), 'id');
  const service = await running.keyFor({ principalId: serviceId });
  await running.publish('permit (principal, action, resource);');
  await warm(service.key);
  await running.must('PATCH', `/services/${serviceId}`, { status: 'suspended' });
  await assertStopped(service.key, 'its service is suspended');

  const person = await running.person('warm-three');
  await warm(person.key);
  await running.must('PATCH', `/keys/${person.keyId}`, { models: ['c'] });
  await assertStopped(person.key, 'it is narrowed to another model');
});

test('what is recorded of a warm key follows a change of whom it belongs to', async () => {
  const person = await running.person('warm-five');
  await warm(person.key);
  const first = await running.call({ key: person.key });
  await running.must('PATCH', `/users/${person.id}`, { costCentre: 'north-wing' });
  const second = await running.call({ key: person.key });
  assert.ok(!JSON.stringify(await running.record(first.record())).includes('north-wing'));
  assert.ok(JSON.stringify(await running.record(second.record())).includes('north-wing'));
});

test('another secret for a warm key’s id is refused, and refused again', async () => {
  const person = await running.person('warm-six');
  await warm(person.key);
  const forged = person.key.replace(/_([0-9A-Za-z])/g, (whole, first: string, at: number) =>
    at > 30 ? `_${first === 'A' ? 'B' : 'A'}` : whole,
  );
  assert.notEqual(forged, person.key);
  await assertStopped(forged, 'its secret is another');
  await assertStopped(forged, 'its secret is another');
  await warm(person.key);
});

test('a call that ends after a change leaves nothing of its own version for the next one', async (context) => {
  const person = await running.person('warm-teams');
  await warm(person.key);
  const held = Promise.withResolvers<void>();
  context.after(() => held.resolve());
  running.provider.answer(async (_asked, response) => {
    await held.promise;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ id: 'x', object: 'chat.completion', model: 'm', choices: [] }));
  });
  const sent = running.provider.dispatched();
  const before = running.call({ key: person.key });
  assert.ok(await until(() => running.provider.dispatched() === sent + 1));
  const team = { name: 'newcomers', workspaceId: running.workspaceId };
  const teamId = textAt(await running.must('POST', '/teams', team), 'id');
  await running.must('POST', '/memberships', { principalId: person.id, teamId });
  held.resolve();
  const first = (await before).record();
  running.provider.answer();
  const second = (await running.call({ key: person.key })).record();
  assert.deepEqual(at(await running.record(first), 'teams'), []);
  assert.deepEqual(at(await running.record(second), 'teams'), [teamId]);
});
