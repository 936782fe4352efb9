// Owns the claims about a thread on demand: there when asked, gone when not, and never taken from under a call.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOnDemand } from './on-demand.ts';
import type { ThreadClient } from './thread-client.ts';

type Calls = { work: { request: number; reply: number } };
type Nothing = Record<never, never>;

/** Threads that answer when they are told to. */
function makeThreads() {
  const events: string[] = [];
  const answers: (() => void)[] = [];
  let count = 0;
  function start(): ThreadClient<Calls, Nothing> {
    count += 1;
    const name = count;
    let outstanding = 0;
    events.push(`start ${name}`);
    return {
      async call(_name, payload) {
        outstanding += 1;
        await new Promise<void>((resolve) => answers.push(resolve));
        outstanding -= 1;
        return payload + name;
      },
      notify: () => {},
      outstanding: () => outstanding,
      close: async () => {
        events.push(`close ${name}`);
        return true;
      },
    };
  }
  return { events, start, answer: () => answers.shift()?.() };
}

const options = { idleMs: 1_000, closeMs: 10 };

test('a thread starts with the first call, rests when none comes, and another one starts with the next', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const threads = makeThreads();
  const client = createOnDemand(threads.start, options);
  assert.deepEqual(threads.events, []);
  const first = client.call('work', 10);
  threads.answer();
  assert.equal(await first, 11);
  t.mock.timers.tick(999);
  assert.deepEqual(threads.events, ['start 1']);
  t.mock.timers.tick(1);
  assert.deepEqual(threads.events, ['start 1', 'close 1']);
  const second = client.call('work', 10);
  threads.answer();
  assert.equal(await second, 12);
});

test('a call under way keeps the thread, and its end begins the rest anew', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const threads = makeThreads();
  const client = createOnDemand(threads.start, options);
  const short = client.call('work', 1);
  const long = client.call('work', 2);
  threads.answer();
  await short;
  t.mock.timers.tick(5_000);
  assert.deepEqual(threads.events, ['start 1']);
  threads.answer();
  await long;
  t.mock.timers.tick(999);
  assert.deepEqual(threads.events, ['start 1']);
  t.mock.timers.tick(1);
  assert.deepEqual(threads.events, ['start 1', 'close 1']);
});

test('what is closed starts nothing any more', async () => {
  const threads = makeThreads();
  const client = createOnDemand(threads.start, options);
  assert.equal(await client.close(10), true);
  await assert.rejects(client.call('work', 1), { code: 'shutting_down' });
  assert.deepEqual(threads.events, []);
});
