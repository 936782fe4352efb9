// Owns the claims about the port between two threads: nothing waits for ever, nothing secret crosses.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { AppError } from '@countersign/core/errors';
import { connectThread, type ThreadClient } from '@countersign/server/platform/db/thread-client';
import type { TestCalls, TestHeard, TestSaid } from './port-protocol.ts';

type Fixture = {
  readonly worker: Worker;
  readonly client: ThreadClient<TestCalls, TestSaid>;
  readonly deaths: readonly AppError[];
  readonly events: readonly number[];
  readonly errors: readonly unknown[];
};

function start(context: TestContext, limits: { maxOutstanding?: number; timeoutMs?: number } = {}): Fixture {
  const worker = new Worker(new URL('./port-worker.ts', import.meta.url));
  const deaths: AppError[] = [];
  const events: number[] = [];
  const errors: unknown[] = [];
  const client = connectThread<TestCalls, TestSaid, TestHeard>(worker, {
    name: 'test',
    maxOutstanding: 100,
    timeoutMs: 5000,
    ...limits,
    onNotice: {
      event({ number }) {
        if (number === 13) throw new Error('unlucky');
        events.push(number);
      },
    },
    onError: (error) => errors.push(error),
    onDeath: (reason) => deaths.push(reason),
  });
  context.after(() => worker.terminate());
  return { worker, client, deaths, events, errors };
}

test('answers find their callers, whatever their order', async (context) => {
  const { client, events } = start(context);
  const slow = client.call('wait', 30);
  const doubled = await Promise.all(Array.from({ length: 50 }, (_, index) => client.call('double', index)));
  assert.deepStrictEqual(
    doubled,
    Array.from({ length: 50 }, (_, index) => index * 2),
  );
  assert.equal(await slow, 'waited');
  assert.equal(client.outstanding(), 0);
  assert.equal(events.length, 49);
});

test('a transferred buffer is moved, and values keep their types', async (context) => {
  const { client } = start(context);
  const bytes = new Uint8Array(1000);
  assert.equal(await client.call('size', bytes, [bytes.buffer]), 1000);
  assert.equal(bytes.byteLength, 0);
  const value = { big: 2n ** 62n, text: 'é👍', nothing: null, bytes: Uint8Array.of(1, 2) };
  assert.deepStrictEqual(await client.call('echo', value), value);
});

test('a refusal crosses with code, message and details, but without its cause', async (context) => {
  const { client } = start(context);
  await assert.rejects(client.call('refuse', null), {
    name: 'AppError',
    code: 'already_exists',
    message: 'the name `x` is taken: choose another',
    details: { subject: 'name', retryAfterSeconds: 7 },
  });
});

test('an unknown error gives nothing away, and is reported where it happened', async (context) => {
  const { client } = start(context);
  await assert.rejects(client.call('fail', null), { code: 'internal', message: 'internal error' });
  assert.deepStrictEqual(await client.call('heard', null), ['fail: secret detail']);
});

test('calls beyond the bound are refused as overloaded, and answers make room', async (context) => {
  const { client } = start(context, { maxOutstanding: 2 });
  const held = [client.call('wait', 40), client.call('wait', 40)];
  await assert.rejects(client.call('double', 1), { code: 'overloaded' });
  await Promise.all(held);
  assert.equal(await client.call('double', 1), 2);
});

test('a call that takes too long is given up, but counts until the thread has answered it', async (context) => {
  const { client } = start(context, { timeoutMs: 1_000, maxOutstanding: 1 });
  await client.call('double', 1);
  await assert.rejects(client.call('wait', 1_600), { code: 'storage_unavailable' });
  assert.equal(client.outstanding(), 1);
  await assert.rejects(client.call('double', 1), { code: 'overloaded' });
  for (let tries = 0; client.outstanding() > 0 && tries < 100; tries += 1) await sleep(50);
  assert.equal(client.outstanding(), 0);
  assert.equal(await client.call('double', 2), 4);
});

test('what cannot be cloned fails alone, in both directions', async (context) => {
  const { client } = start(context);
  const calls = [client.call('double', 1), client.call('echo', () => 1), client.call('double', 2)];
  const results = await Promise.allSettled(calls);
  assert.deepStrictEqual(
    results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.code)),
    [2, 'internal', 4],
  );
  await assert.rejects(client.call('giveFunction', null), { code: 'internal' });
  assert.equal(client.outstanding(), 0);
});

test('a notice needs no answer, and a handler that throws costs nobody an answer', async (context) => {
  const { client, errors, events } = start(context);
  client.notify('greet', 'alice');
  await Promise.all([client.call('double', 13), client.call('double', 14)]);
  assert.deepStrictEqual(await client.call('heard', null), ['greeted by alice']);
  assert.deepStrictEqual(events, [14]);
  assert.equal(errors.length, 1);
});

for (const how of ['exit', 'throw'] as const) {
  test(`a thread that dies by ${how} refuses all that waited, at once and once`, async (context) => {
    const { client, deaths } = start(context);
    await client.call('double', 1);
    const waiting = [client.call('wait', 60_000), client.call('die', how)];
    for (const call of waiting) await assert.rejects(call, { code: 'storage_unavailable' });
    await assert.rejects(client.call('double', 1), { code: 'storage_unavailable' });
    await sleep(50);
    assert.equal(deaths.length, 1);
    assert.equal(client.outstanding(), 0);
    assert.equal(await client.close(100), false);
  });
}

test('closing waits for answers, lets the thread finish and then exit, and is not a death', async (context) => {
  const { worker, client, deaths } = start(context);
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  const last = client.call('wait', 50);
  const closing = client.close(5000);
  await assert.rejects(client.call('double', 1), { code: 'shutting_down' });
  assert.equal(await last, 'waited');
  assert.equal(await closing, true);
  assert.equal(await exited, 0);
  assert.deepStrictEqual(deaths, []);
});

test('closing gives up at its time-out', async (context) => {
  const { client, deaths } = start(context);
  const never = client.call('wait', 60_000);
  const refused = assert.rejects(never, { code: 'shutting_down' });
  assert.equal(await client.close(50), false);
  await refused;
  assert.deepStrictEqual(deaths, []);
});
