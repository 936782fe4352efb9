// Claims about the real server on PostgreSQL: it governs, dies and comes back with all that it had answered.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startPostgres } from '../../support/postgres.ts';
import { assertReplays, storageOf } from '../../support/replayed-store.ts';
import { at, textAt } from '../../support/server.ts';
import {
  initProcessStore,
  processEnv,
  type ServerProcess,
  startProcess,
} from '../../support/server-process.ts';

const { cluster, skip } = await startPostgres();
after(() => cluster?.stop());

/** Asks with a key; gives the answer's status, body and record. */
async function ask(server: ServerProcess, key: string, method: string, path: string, body?: unknown) {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  return {
    status: response.status,
    body: answer,
    record: response.headers.get('x-countersign-record') ?? '',
  };
}

const call = { model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] };

test('a governed server on PostgreSQL keeps its records, policy and budgets over a kill', {
  skip,
  timeout: 120_000,
}, async (context) => {
  assert.ok(cluster !== undefined);
  const directory = mkdtempSync(join(tmpdir(), 'countersign-pg-server-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const env = processEnv(directory, {
    DATABASE_URL: await cluster.createDatabase(),
    COUNTERSIGN_MASTER_KEY: randomBytes(32).toString('hex'),
  });
  const made = await initProcessStore(env);
  const first = await startProcess({ env });
  context.after(first.kill);
  const chat = (server: ServerProcess) => ask(server, made.modelsKey, 'POST', '/v1/chat/completions', call);
  const manage = (server: ServerProcess, method: string, path: string, body?: unknown) =>
    ask(server, made.managementKey, method, `/api/v1${path}`, body);

  const answered = await chat(first);
  assert.equal(answered.status, 200, JSON.stringify(answered.body));
  // Many at once: one transaction a batch, and the projection asked for meanwhile.
  const many = await Promise.all(
    Array.from({ length: 24 }, async (_, n) => {
      const one = await chat(first);
      if (n % 3 === 0) assert.equal((await manage(first, 'GET', `/records/${one.record}`)).status, 200);
      return one.status;
    }),
  );
  assert.deepEqual([...new Set(many)], [200]);
  const text = 'permit (principal, action, resource) unless { context.tokens > 1000000 };';
  assert.equal((await manage(first, 'PUT', '/policy', { text })).status, 200);
  const key = await manage(first, 'POST', '/keys', {
    name: 'short',
    principalId: made.ownerId,
    workspaceId: made.workspaceId,
  });
  assert.equal(key.status, 201, JSON.stringify(key.body));
  const gone = await manage(first, 'POST', `/keys/${textAt(key.body, 'id')}/revoke`, {});
  assert.equal(gone.status, 200, JSON.stringify(gone.body));
  await first.kill();

  const second = await startProcess({ env });
  context.after(second.kill);
  assert.equal((await chat(second)).status, 200);
  assert.equal((await ask(second, textAt(key.body, 'key'), 'GET', '/v1/models')).status, 401);
  const record = await manage(second, 'GET', `/records/${answered.record}`);
  assert.equal(textAt(record.body, 'status'), 'ok');
  assert.equal(textAt((await manage(second, 'GET', '/policy')).body, 'text').includes('1000000'), true);
  const usage = await manage(second, 'GET', '/usage?groupBy=model');
  assert.equal(at(usage.body, 'items.0.requests'), 26, JSON.stringify(usage.body));
  second.signal('SIGTERM');
  assert.deepEqual(await second.ended, { code: 0, signal: null });
  const replayed = await assertReplays(storageOf(env));
  const result = replayed.get(made.organizationId);
  assert.ok(result?.kind === 'replayed' && result.replay.retaken === 26);
});
