// Claims about refusals before an endpoint is known: they are in the dialect that the client speaks.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { at, startServer, type TestServer } from '../../support/server.ts';

let running: TestServer;
before(async () => {
  running = await startServer();
});
after(async () => {
  await running.stop();
});

const version = { 'anthropic-version': '2023-06-01' };

async function dialectOf(method: string, path: string, headers: { readonly [name: string]: string }) {
  const response = await fetch(`${running.url}${path}`, { method, headers });
  const body: unknown = await response.json();
  assert.equal(response.ok, false, path);
  const dialect = at(body, 'type') === 'error' ? 'anthropic' : 'openai';
  return `${response.status} ${dialect}`;
}

test('a refusal where no endpoint is known yet is in the dialect of the header and the path', async () => {
  const known = { 'x-api-key': running.modelsKey };
  const asked = [
    ['GET', '/v1/models', version, '401 anthropic'],
    ['GET', '/v1/models', {}, '401 openai'],
    ['GET', '/v1/models/nowhere', { ...version, ...known }, '404 anthropic'],
    ['GET', '/v1/models/nowhere', known, '404 openai'],
    ['GET', '/anthropic/v1/models', {}, '401 anthropic'],
    ['POST', '/v1/models', version, '405 anthropic'],
    ['POST', '/v1/models', {}, '405 openai'],
    ['POST', '/v1/messages/batches', {}, '404 anthropic'],
    ['POST', '/v1/files', version, '404 anthropic'],
    ['POST', '/v1/files', {}, '404 openai'],
    ['POST', '/anthropic/v1/nothing', {}, '404 anthropic'],
    ['POST', '/openai/v1/nothing', version, '404 openai'],
  ] as const;
  for (const [method, path, headers, expected] of asked)
    assert.equal(
      await dialectOf(method, path, headers),
      expected,
      `${method} ${path} ${JSON.stringify(headers)}`,
    );
});

test('the list of models is in the dialect of the header', async () => {
  const list = async (headers: { readonly [name: string]: string }): Promise<unknown> =>
    (
      await fetch(`${running.url}/v1/models`, { headers: { 'x-api-key': running.modelsKey, ...headers } })
    ).json();
  assert.equal(at(await list(version), 'has_more'), false);
  assert.equal(at(await list({}), 'object'), 'list');
});
