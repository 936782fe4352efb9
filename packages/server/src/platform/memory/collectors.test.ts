// Claims about which threads give way to which.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import { collectorThreads, yieldToServing } from './collectors.ts';

const isLinux = process.platform === 'linux';

test('the collector has threads of its own, which give way; those that serve do not', {
  skip: !isLinux,
}, () => {
  const collectors = collectorThreads();
  assert.notEqual(collectors.length, 0, 'another Node may call them by another name');
  const others = readdirSync('/proc/self/task')
    .map(Number)
    .filter((id) => !collectors.includes(id));
  assert.ok(others.includes(process.pid));
  const before = others.map((id) => getPriority(id));
  yieldToServing(2);
  assert.deepEqual(
    collectors.map((id) => getPriority(id)),
    collectors.map(() => 10),
  );
  assert.deepEqual(
    others.map((id) => getPriority(id)),
    before,
  );
});
