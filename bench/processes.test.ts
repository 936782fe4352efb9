// Tests that a child's lines arrive while it runs, that a failure tells what it printed, and that a group ends whole.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createProcesses } from './processes.ts';

const logs = mkdtempSync(join(tmpdir(), 'countersign-processes-'));
const processes = createProcesses(logs);
after(async () => {
  await processes.stopAll();
  rmSync(logs, { recursive: true, force: true });
});

const child = (script: string) =>
  ({ name: 'child', command: process.execPath, args: ['-e', script], cpu: undefined }) as const;

test('lines of the standard error arrive one by one, and are no part of what is returned', async () => {
  const lines: string[] = [];
  const script = 'console.error("half"); console.log("whole"); console.error("rest")';
  const out = await processes.run({ ...child(script), onLine: (line) => lines.push(line) });
  assert.deepEqual(lines, ['half', 'rest']);
  assert.equal(out, 'whole\n');
});

test('a child that fails is refused with what it printed', async () => {
  const script = 'console.log("one test failed"); process.exitCode = 1';
  await assert.rejects(processes.run({ ...child(script), onLine: () => {} }), /one test failed/);
  await assert.rejects(processes.run(child(script)), /one test failed/);
});

test('what a child has started is ended with it', {
  skip: process.platform === 'win32' && 'no groups of processes',
  timeout: 10_000,
}, async () => {
  // It shares the output of the child, which is closed only when both have ended.
  const inner = JSON.stringify('setTimeout(() => {}, 20_000)');
  const script = `const { spawn } = require('node:child_process');
    spawn(process.execPath, ['-e', ${inner}], { stdio: ['ignore', 'inherit', 'ignore'] }).unref();
    console.log('started');`;
  assert.equal(await processes.run({ ...child(script), hasChildren: true }), 'started\n');
});
