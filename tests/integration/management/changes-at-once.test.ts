// Claims about changes that are asked for at the same time: all are made, and nobody's many hold up another's one.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestServer, textAt } from '../../support/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(async () => {
  await server.stop();
});

test('thirty changes at once are all made', async () => {
  const names = Array.from({ length: 30 }, (_, n) => `workspace-${n}`);
  const answers = await Promise.all(names.map((name) => server.api('POST', '/workspaces', { name })));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201]);
});

test('an owner revokes a key beside whoever changes theirs without end', async () => {
  const { workspaceId } = server;
  const person = { email: 'm@example.com', name: 'm', role: 'member', workspaceId };
  const principalId = textAt((await server.api('POST', '/users', person)).body, 'id');
  const asked = { name: 'm', principalId, workspaceId, use: 'management' };
  const { body: made } = await server.api('POST', '/keys', asked);
  const [id, key] = [textAt(made, 'id'), textAt(made, 'key')];
  let storming = 60;
  const storm = Array.from({ length: storming }, async (_, n) => {
    const { status } = await server.api('PATCH', `/keys/${id}`, { name: `m${n}` }, key);
    storming -= 1;
    return status;
  });
  const revoked = await server.api('POST', `/keys/${id}/revoke`, {});
  assert.equal(revoked.status, 200, JSON.stringify(revoked.body));
  assert.ok(storming > 10, `${storming} wait still`);
  const statuses = new Set(await Promise.all(storm));
  assert.equal(statuses.has(401), true);
  assert.ok(
    [...statuses].every((status) => status === 200 || status === 401),
    [...statuses].join(),
  );
});

test('calls are decided however fast somebody changes a key of theirs', async () => {
  const { url, modelsKey } = server;
  const id = textAt((await server.api('POST', '/keys', { name: 'mine' })).body, 'id');
  let isChanging = true;
  const changing = Array.from({ length: 4 }, async (_, who) => {
    for (let n = 0; isChanging; n += 1) await server.api('PATCH', `/keys/${id}`, { name: `n${who}-${n}` });
  });
  const asked = { model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] };
  const headers = { authorization: `Bearer ${modelsKey}`, 'content-type': 'application/json' };
  const calling = Array.from({ length: 4 }, async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 40; n += 1) {
      const body = JSON.stringify(asked);
      const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
      await answer.text();
      statuses.push(answer.status);
    }
    return statuses;
  });
  const statuses = (await Promise.all(calling)).flat();
  isChanging = false;
  await Promise.all(changing);
  assert.deepEqual([...new Set(statuses)], [200]);
});
