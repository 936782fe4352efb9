// Tests that deadlines are due once, never early, and soon enough; and that none keeps a process alive for nothing.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDeadlines, tickMs } from './deadlines.ts';

/** What a busy machine may add to a tick, in milliseconds. */
const slackMs = 500;

test('a deadline is due once, not before its time and at most a tick later', async () => {
  const deadlines = createDeadlines();
  const started = performance.now();
  const due: number[] = [];
  deadlines.after(120, () => due.push(performance.now() - started));
  await sleep(120 + tickMs + slackMs);
  assert.equal(due.length, 1);
  assert.ok((due[0] ?? 0) >= 120 && (due[0] ?? 0) < 120 + tickMs + slackMs, String(due[0]));
});

test('what was called off is never due, and what is extended is due later', async () => {
  const deadlines = createDeadlines();
  const due: string[] = [];
  deadlines.after(60, () => due.push('called off')).cancel();
  const extended = deadlines.after(60, () => due.push('extended'));
  await sleep(20);
  extended.extend(400);
  await sleep(200);
  assert.deepEqual(due, []);
  await sleep(300 + slackMs);
  assert.deepEqual(due, ['extended']);
});

test('a deadline that starts another when it is due does not disturb the others', async () => {
  const deadlines = createDeadlines();
  const due: string[] = [];
  const other = deadlines.after(60, () => due.push('other'));
  deadlines.after(10, () => {
    due.push('first');
    other.cancel();
    deadlines.after(10, () => due.push('second'));
  });
  await sleep(200 + slackMs);
  assert.deepEqual(due, ['first', 'second']);
});

test('a process ends when its deadlines were called off', () => {
  const source = `
    import { createDeadlines } from ${JSON.stringify(import.meta.resolve('./deadlines.ts'))};
    const deadlines = createDeadlines();
    deadlines.after(600_000, () => {}).cancel();
  `;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', source], { timeout: 30_000 });
  assert.equal(child.status, 0, child.stderr.toString());
});
