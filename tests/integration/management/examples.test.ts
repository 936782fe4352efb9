// Claims about the examples that the contract shows: a server takes each as it stands.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { jsonSchemaOf } from '@countersign/contract/json-schema';
import { operations } from '@countersign/contract/operations';
import { startServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(async () => {
  await server.stop();
});

const creates = operations.flatMap(({ id, method, path, body }) => {
  const { examples } = body === null ? {} : jsonSchemaOf(body, 'input');
  return method === 'POST' && Array.isArray(examples) ? [{ id, path, examples }] : [];
});

test('there are examples to try', () => assert.ok(creates.length >= 3));

for (const { id, path, examples } of creates) {
  test(`the server takes the example of ${id}`, async () => {
    for (const example of examples) {
      const made = await server.api('POST', path, example);
      assert.equal(made.status, 201, JSON.stringify(made.body));
    }
  });
}

test('a provider that lacks its address is told so', async () => {
  const made = await server.api('POST', '/providers', { name: 'sample', kind: 'openai' });
  assert.equal(made.status, 400);
  assert.match(JSON.stringify(made.body), /needs its `baseUrl`: the address of its API/);
});
