// Claims about alerts: a list of records says of what kind each is and what it is about, by id and by name.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, startServer, type TestServer, textAt } from '../../support/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(async () => {
  await server.stop();
});

async function alertAbout(id: string): Promise<unknown> {
  for (let tries = 0; tries < 100; tries += 1) {
    const items = at((await server.api('GET', '/records?type=alert')).body, 'items');
    const found = Array.isArray(items) ? items.find((item) => at(item, 'alert.about') === id) : undefined;
    if (found !== undefined) return found;
    await sleep(50);
  }
  return undefined;
}

test('an alert names its kind and its model, in the list and alone', async () => {
  const providers = at((await server.api('GET', '/providers')).body, 'items');
  const providerId = Array.isArray(providers) ? textAt(providers[0], 'id') : '';
  const made = await server.api('POST', '/models', { name: 'unpriced', providerId });
  const id = textAt(made.body, 'id');
  const called = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.modelsKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'unpriced', messages: [{ role: 'user', content: 'hello' }] }),
  });
  assert.equal(called.status, 200, await called.text());
  const told = { kind: 'unknown_price', about: id, aboutName: 'unpriced' };
  const listed = await alertAbout(id);
  assert.equal(at(listed, 'event'), 'unknown_price');
  assert.deepEqual(at(listed, 'alert'), told);
  const one = await server.api('GET', `/records/${textAt(listed, 'id')}`);
  assert.deepEqual(at(one.body, 'alert'), told);
});
