// Claims about a path to a provider that is not there: it is told of the provider, not of a model.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { at, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(async () => {
  await server.stop();
});

test('the refusal names the provider', async () => {
  const response = await fetch(`${server.url}/providers/nope/x`, {
    headers: { authorization: `Bearer ${server.modelsKey}` },
  });
  assert.equal(response.status, 404);
  const message = at(await response.json(), 'error.message');
  assert.equal(message, 'provider `nope` is not one that you may call: check the name after `/providers/`');
});
