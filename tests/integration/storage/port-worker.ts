// Owns the thread that the tests of the thread port talk to.

import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { AppError } from '@countersign/core/errors';
import { serveThread } from '@countersign/server/platform/db/thread-server';
import type { TestCalls, TestHeard, TestSaid } from './port-protocol.ts';

if (parentPort === null) throw new Error('this file runs as a worker');
const heard: string[] = [];

const server = serveThread<TestCalls, TestSaid, TestHeard>(
  parentPort,
  {
    double(value) {
      server.notify('event', { number: value });
      return value * 2;
    },
    size: (bytes) => bytes.byteLength,
    echo: (value) => value,
    refuse() {
      throw new AppError('already_exists', 'the name `x` is taken: choose another', {
        subject: 'name',
        retryAfterSeconds: 7,
        cause: new Error('secret'),
      });
    },
    fail() {
      throw new Error('secret detail');
    },
    async wait(milliseconds) {
      await sleep(milliseconds);
      return 'waited';
    },
    giveFunction: () => () => 1,
    die(how) {
      if (how === 'exit') process.exit(3);
      setImmediate(() => {
        throw new Error('worker failed');
      });
      return new Promise(() => {});
    },
    heard: () => heard,
  },
  {
    onNotice: { greet: (name) => void heard.push(`greeted by ${name}`) },
    onError: (error, name) =>
      void heard.push(`${name}: ${error instanceof Error ? error.message : 'unknown'}`),
    onClose: async () => {
      await sleep(20);
    },
  },
);
