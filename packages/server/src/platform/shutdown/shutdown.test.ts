// Owns the claims about how the process stops.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Closer, createShutdown, type ShutdownPhase } from './shutdown.ts';
import { stopOnSignals } from './signals.ts';

const now = (): number => performance.now();

function closer(name: string, phase: ShutdownPhase, close: Closer['close'], limitMs = 1000): Closer {
  return { name, phase, limitMs, close };
}

test('readiness falls at once, and phases run one after the other whatever the order of registration', async () => {
  const shutdown = createShutdown(now);
  const events: string[] = [];
  const phases: readonly ShutdownPhase[] = ['close', 'flush', 'stop', 'drain'];
  for (const phase of phases) {
    const close = async (): Promise<void> => {
      events.push(`${phase} begins ${shutdown.isReady()}`);
      await sleep(5);
      events.push(`${phase} ends`);
    };
    shutdown.add(closer(phase, phase, close));
  }
  assert.equal(shutdown.isReady(), true);
  const report = shutdown.begin('SIGTERM');
  assert.equal(shutdown.isReady(), false);
  assert.deepEqual(events, []);
  const { unfinished, reason, closed } = await report;
  const order = ['stop', 'drain', 'flush', 'close'];
  assert.deepEqual(
    events,
    order.flatMap((phase) => [`${phase} begins false`, `${phase} ends`]),
  );
  assert.deepEqual([unfinished, reason, closed.map(({ name }) => name)], [[], 'SIGTERM', order]);
});

test('closers of one phase run side by side', async () => {
  const shutdown = createShutdown(now);
  const { promise, resolve } = Promise.withResolvers<void>();
  shutdown.add(closer('waits', 'drain', () => promise));
  shutdown.add(closer('frees', 'drain', () => resolve()));
  assert.deepEqual((await shutdown.begin('test')).unfinished, []);
});

test('what hangs is named, told to give up, and does not stop what follows', async () => {
  const shutdown = createShutdown(now);
  const told: boolean[] = [];
  const hang = (signal: AbortSignal): Promise<void> => {
    signal.addEventListener('abort', () => told.push(true));
    return new Promise(() => undefined);
  };
  const events: string[] = [];
  shutdown.add(closer('streams', 'drain', hang, 20));
  shutdown.add(closer('store', 'close', () => void events.push('store')));
  const report = await shutdown.begin('test');
  assert.deepEqual(
    report.closed.map(({ name, outcome }) => [name, outcome]),
    [
      ['streams', 'timed_out'],
      ['store', 'closed'],
    ],
  );
  assert.deepEqual([report.unfinished, told, events], [['streams'], [true], ['store']]);
});

test('what throws, at once or later, is named with its error and does not stop what follows', async () => {
  const shutdown = createShutdown(now);
  const failure = new Error('no');
  const throws = (): void => {
    throw failure;
  };
  shutdown.add(closer('at once', 'stop', throws));
  shutdown.add(closer('later', 'flush', () => Promise.reject(failure)));
  shutdown.add(closer('late', 'flush', (signal) => once(signal, 'abort').then(throws), 10));
  shutdown.add(closer('store', 'close', () => undefined));
  const { closed, unfinished } = await shutdown.begin('test');
  assert.deepEqual(unfinished, ['at once', 'later', 'late']);
  assert.equal(closed[0]?.error, failure);
  assert.equal(closed.at(-1)?.outcome, 'closed');
  await sleep(5);
});

test('stopping twice stops once, and nothing can be added any more', async () => {
  const shutdown = createShutdown(now);
  let runs = 0;
  const count = (): void => {
    runs += 1;
  };
  shutdown.add(closer('counted', 'close', count));
  const [first, second] = await Promise.all([shutdown.begin('one'), shutdown.begin('two')]);
  assert.equal(first, second);
  assert.deepEqual([runs, first.reason], [1, 'one']);
  assert.throws(() => shutdown.add(closer('late', 'close', () => undefined)), { code: 'shutting_down' });
});

test('the first signal drains, a second ends the process at once', async () => {
  const source = new EventEmitter();
  const codes: number[] = [];
  const shutdown = createShutdown(now);
  const { promise, resolve } = Promise.withResolvers<void>();
  shutdown.add(closer('streams', 'drain', () => promise));
  const reported = Promise.withResolvers<readonly string[]>();
  stopOnSignals(shutdown, {
    process: source,
    exit: (code) => void codes.push(code),
    report: ({ unfinished }) => reported.resolve(unfinished),
  });
  source.emit('SIGTERM');
  assert.deepEqual([shutdown.isReady(), codes], [false, []]);
  source.emit('SIGINT');
  assert.deepEqual(codes, [130]);
  resolve();
  assert.deepEqual(await reported.promise, []);
  await sleep(1);
  assert.deepEqual(codes, [130, 0]);
});

test('ending with something unfinished is a failure, and listening can be given up', async () => {
  const source = new EventEmitter();
  const ended = Promise.withResolvers<number>();
  const shutdown = createShutdown(now);
  shutdown.add(closer('broken', 'close', () => Promise.reject(new Error('no'))));
  const deps = { process: source, exit: ended.resolve, report: () => undefined };
  stopOnSignals(createShutdown(now), { ...deps, exit: () => assert.fail('was given up') })();
  stopOnSignals(shutdown, deps);
  source.emit('SIGINT');
  assert.equal(await ended.promise, 1);
});

for (const [signals, code] of [
  [['SIGTERM'], 1],
  [['SIGTERM', 'SIGTERM'], 143],
] as const) {
  test(`a real process that hangs in its drain ends with ${code} after ${signals.join(' and ')}`, {
    timeout: 20_000,
  }, async (t) => {
    const script = `
      import { createShutdown } from ${JSON.stringify(import.meta.resolve('./shutdown.ts'))};
      import { stopOnSignals } from ${JSON.stringify(import.meta.resolve('./signals.ts'))};
      const shutdown = createShutdown(() => performance.now());
      const hang = () => (console.log('draining'), new Promise(() => {}));
      shutdown.add({ name: 'streams', phase: 'drain', limitMs: ${signals.length === 1 ? 50 : 60_000}, close: hang });
      stopOnSignals(shutdown, { process, exit: (code) => process.exit(code), report: () => {} });
      setInterval(() => {}, 1000);
      console.log('ready');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    for (const signal of signals) {
      await once(child.stdout, 'data');
      child.kill(signal);
    }
    assert.deepEqual(await exited, [code, null]);
  });
}
