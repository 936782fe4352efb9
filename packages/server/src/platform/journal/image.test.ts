// Owns the claims about a journal's image: frames of this process come from memory, whole, until they are released.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { type Journal, joinJournal, openJournal } from './journal.ts';
import type { JournalPlace } from './marks.ts';

const id = new Uint8Array(16).fill(7);
const size = 64 * 1024;
const start = { sequence: 1, offset: 0 };

function temporary(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-image-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'journal');
}

function allOf(journal: Journal): readonly string[] {
  const texts: string[] = [];
  for (let frame = journal.read(); frame !== undefined; frame = journal.read(frame.next))
    texts.push(frame.payload.toString('utf8'));
  return texts;
}

/** Changes every byte of the file. */
function damage(path: string): void {
  writeFileSync(
    path,
    readFileSync(path).map((byte) => byte ^ 1),
  );
}

test('what this process has appended is read whatever becomes of the file, and the file is checked by the next one', async (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  const tail = joinJournal({ path, id, memory: journal.memory });
  for (const text of ['first', 'second']) await journal.append([Buffer.from(text)]);
  damage(path);
  assert.deepEqual(allOf(tail), ['first', 'second']);
  assert.deepEqual(allOf(journal), ['first', 'second']);
  journal.close();
  tail.close();
  const next = openJournal({ path, id, place: start, size });
  assert.deepEqual(allOf(next), []);
  next.close();
});

test('what a former process has left is read from the file, and checked; what follows it is not', async (t) => {
  const path = temporary(t);
  const former = openJournal({ path, id, place: start, size });
  for (const text of ['former', 'last']) await former.append([Buffer.from(text)]);
  former.close();
  const journal = openJournal({ path, id, place: start, size });
  await journal.append([Buffer.from('own')]);
  assert.deepEqual(allOf(journal), ['former', 'last', 'own']);
  const { next } = journal.read({ sequence: 2, offset: 4_096 }) ?? assert.fail('there is a frame');
  damage(path);
  assert.equal(journal.read(), undefined);
  assert.equal(journal.read(next)?.payload.toString('utf8'), 'own');
  journal.close();
});

test('another reader that opens the file while frames are appended finds those that are durable', async (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  await journal.append([Buffer.from('durable')]);
  const appending = journal.append([Buffer.from('under way')]);
  const other = openJournal({ path, id, place: start, size });
  assert.equal(allOf(other)[0], 'durable');
  await appending;
  assert.deepEqual(allOf(journal), ['durable', 'under way']);
  for (const each of [journal, other]) each.close();
});

test('a released frame is not read, and a frame may fill the whole journal', async (t) => {
  const journal = openJournal({ path: temporary(t), id, place: start, size });
  const whole = Buffer.alloc(size - 64, 5);
  assert.equal(await journal.append([whole]), true);
  const frame = journal.read() ?? assert.fail('there is a frame');
  assert.ok(frame.payload.equals(whole));
  assert.equal(journal.read(frame.next), undefined);
  journal.release(frame.next);
  assert.ok(journal.read(start) === undefined, 'it is not there any more');
  assert.equal(await journal.append([whole, Buffer.alloc(1)]), false);
  journal.close();
});

test('a payload stays as it is until its frame is released, whatever is appended behind it', async (t) => {
  const lengths = fc.array(fc.tuple(fc.integer({ min: 1, max: 30_000 }), fc.boolean()), { maxLength: 60 });
  let moved = 0;

  async function run(steps: readonly (readonly [length: number, takes: boolean])[]): Promise<void> {
    const path = temporary(t);
    const journal = openJournal({ path, id, place: start, size });
    const tail = joinJournal({ path, id, memory: journal.memory });
    const held: { readonly payload: Buffer; readonly is: Buffer; readonly next: JournalPlace }[] = [];
    let end: JournalPlace = start;
    for (const [n, [length, takes]] of steps.entries()) {
      const is = Buffer.alloc(length, n + 1);
      if (await journal.append([is.subarray(0, 3), is.subarray(3)])) {
        const frame = tail.read(end) ?? assert.fail('it was appended');
        if (frame.offset < end.offset) moved += 1;
        held.push({ payload: frame.payload, is, next: frame.next });
        end = frame.next;
      }
      for (const { payload, is: bytes } of held) assert.ok(payload.equals(bytes));
      const [oldest] = held;
      if (!takes || oldest === undefined) continue;
      held.shift();
      tail.release(oldest.next);
    }
    journal.close();
    tail.close();
  }

  await fc.assert(fc.asyncProperty(lengths, run), { numRuns: 100 });
  assert.ok(moved > 5, `the file's end was passed ${moved} times`);
});

/** Takes frames as they come, each held to what it must be, and says which was another. */
const taker = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData.module).then(({ joinJournal }) => {
    const journal = joinJournal(workerData.seat);
    const nobody = new Int32Array(new SharedArrayBuffer(4));
    for (let n = 0; n < workerData.count; ) {
      const frame = journal.read();
      if (frame === undefined) {
        Atomics.wait(nobody, 0, 0, 1);
        continue;
      }
      const { payload } = frame;
      const isRight = payload.readUInt32BE(0) === n && payload.readUInt32BE(4) === payload.length
        && payload.subarray(8).equals(Buffer.alloc(payload.length - 8, n % 256));
      if (!isRight) throw new Error('frame ' + n + ' is another');
      n += 1;
      journal.release(frame.next);
    }
    journal.close();
    parentPort.postMessage('all');
  });`;

test('a thread that takes frames beside the one that appends sees each of them whole', {
  timeout: 60_000,
}, async (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  const count = 500;
  const module = new URL('./journal.ts', import.meta.url).href;
  const seat = { path, id, memory: journal.memory };
  const worker = new Worker(taker, { eval: true, workerData: { module, seat, count } });
  t.after(() => worker.terminate());
  const done = once(worker, 'message');
  let full = 0;
  for (let n = 0; n < count && !t.signal.aborted; ) {
    const payload = Buffer.alloc(8 + ((n * 7_919) % 20_000), n % 256);
    payload.writeUInt32BE(n, 0);
    payload.writeUInt32BE(payload.length, 4);
    if (await Promise.race([journal.append([payload]), done.then(() => assert.fail('it has ended'))])) n += 1;
    else {
      full += 1;
      await setImmediate();
    }
  }
  assert.deepEqual(await done, ['all']);
  assert.ok(full > 0, 'it was full at times');
  journal.close();
});
