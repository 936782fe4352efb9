// Claims about a store that ends by itself, or that another process holds: no answer without a record.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { initStore } from '@countersign/server/compose/init-store';
import { processEnv, runServer, within } from '../support/server-process.ts';
import { makeBed } from './bed.ts';
import { keepAlive, type Reply } from './client.ts';
import {
  assertAnsweredHaveOutcomes,
  assertDispatchedHaveIntents,
  assertNoOrphans,
  readLedger,
} from './ledger.ts';
import { answerPlainly } from './provider.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-preload-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Loaded before the server, it ends the thread that writes when it hears SIGUSR2. */
const preload = join(folder, 'end-writer.mjs');
writeFileSync(
  preload,
  `import threads from 'node:worker_threads';
import { syncBuiltinESMExports } from 'node:module';
if (threads.isMainThread) {
  const Own = threads.Worker;
  const started = [];
  threads.Worker = class extends Own {
    constructor(url, options) {
      super(url, options);
      if (String(url).includes('writer')) started.push(this);
    }
  };
  syncBuiltinESMExports();
  process.on('SIGUSR2', () => started.forEach((worker) => worker.terminate()));
}
`,
);

test('row 5: when the thread that writes dies, calls are refused, none leaves, and the process ends with a failure', {
  timeout: 60_000,
}, async (t) => {
  const bed = await makeBed(t, { answer: answerPlainly(10, 20), process: { flags: ['--import', preload] } });
  const agent = keepAlive();
  const answered = new Set<string>();
  const after: Reply[] = [];
  let isDead = false;
  let isOver = false;
  const workers = Array.from({ length: 8 }, async (_, worker) => {
    for (let n = 0; !isOver; n += 1) {
      const marker = `${worker}-${n}`;
      const begunDead = isDead;
      const reply = await bed.ask({ marker, isStream: worker % 2 === 0, agent });
      if (reply.isAnswered) answered.add(marker);
      if (begunDead) after.push(reply);
      if (reply.status === 0) await sleep(5);
    }
  });
  await sleep(700);
  const died = performance.now();
  bed.server().signal('SIGUSR2');
  await sleep(100);
  isDead = true;
  const { code } = await within(20_000, 'the end of the process', bed.server().ended);
  const took = performance.now() - died;
  isOver = true;
  await Promise.all(workers);
  agent.destroy();
  assert.equal(code, 1, bed.server().lines.slice(-3).join('\n'));
  assert.ok(took < 10_000, `it took ${took} ms to end`);
  assert.deepEqual(
    after.filter(({ isAnswered }) => isAnswered),
    [],
    'answered without a record',
  );
  await bed.start();
  const ledger = readLedger(bed);
  const calls = await ledger.read();
  assertNoOrphans(calls);
  assertDispatchedHaveIntents(calls, bed.provider.dispatched);
  assertAnsweredHaveOutcomes(calls, answered);
  await ledger.verify();
  t.diagnostic(`ended with 1 after ${Math.round(took)} ms, ${answered.size} answered before, none after`);
});

test('row 5: a second process on one embedded directory is refused with a sentence that says what to do', {
  timeout: 60_000,
}, async (t) => {
  const bed = await makeBed(t, { answer: answerPlainly(1, 0) });
  const second = runServer({ env: processEnv(bed.directory) });
  t.after(second.kill);
  const { code } = await within(20_000, 'the end of the second process', second.ended);
  assert.equal(code, 1);
  const sentence =
    /^countersign: another countersign process is using `.*`; stop it or set COUNTERSIGN_DATA_DIR to another directory$/;
  assert.equal(second.lines.length, 1, `one sentence and nothing else:\n${second.lines.join('\n')}`);
  assert.match(second.lines[0] ?? '', sentence);
  const values = { slug: 'other', ownerEmail: 'x@example.com', ownerName: '' };
  await assert.rejects(initStore(processEnv(bed.directory), values), {
    code: 'storage_unavailable',
    message: /another countersign process is using/,
  });
  assert.equal((await bed.ask({ marker: 'first' })).isAnswered, true, 'the first process serves on');
});
