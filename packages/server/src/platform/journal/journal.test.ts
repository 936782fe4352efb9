// Owns the claims about the journal: what was said to be durable is read, what was not is never read.

import assert from 'node:assert/strict';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError } from '@countersign/core/errors';
import fc from 'fast-check';
import { type Journal, joinJournal, openJournal } from './journal.ts';
import type { JournalPlace } from './marks.ts';

const id = new Uint8Array(16).fill(7);
const size = 64 * 1024;
const start = { sequence: 1, offset: 0 };

function temporary(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-journal-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'journal');
}

const isUnavailable = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'storage_unavailable';

/** Every frame from the oldest on, as text. */
function allOf(journal: Journal): readonly string[] {
  const texts: string[] = [];
  for (let frame = journal.read(); frame !== undefined; frame = journal.read(frame.next))
    texts.push(frame.payload.toString('utf8'));
  return texts;
}

function append(journal: Journal, text: string): Promise<boolean> {
  return journal.append([Buffer.from(text.slice(0, 3)), Buffer.from(text.slice(3))]);
}

/** Takes the oldest frame away. */
function takeOne(journal: Journal): JournalPlace | undefined {
  const frame = journal.read();
  if (frame !== undefined) journal.release(frame.next);
  return frame?.next;
}

test('a journal is private, of its whole size from the start, and leaves no half-made file', (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  assert.equal(statSync(path).size, size);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.throws(() => statSync(`${path}.new`), /ENOENT/);
  assert.deepEqual(journal.span(), { first: 1, next: 1 });
  assert.equal(journal.read(), undefined);
  journal.close();
});

test('frames are read in their order, in this process and in the next one', async (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  for (const text of ['first', 'second', 'third']) assert.equal(await append(journal, text), true);
  assert.deepEqual(allOf(journal), ['first', 'second', 'third']);
  const next = takeOne(journal) ?? assert.fail('there is a frame');
  journal.close();
  const again = openJournal({ path, id, place: next, size });
  assert.deepEqual(allOf(again), ['second', 'third']);
  again.close();
});

test('a frame that is torn anywhere ends the journal, and those before it stay', async (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  const long = 'x'.repeat(9_000);
  await append(journal, 'whole');
  await append(journal, long);
  journal.close();
  const bytes = readFileSync(path);
  for (const at of [4_096, 4_103, 4_111, 4_120, 4_140, 4_160, 8_192, 12_000, 13_100]) {
    const torn = Buffer.from(bytes);
    torn[at] = (torn[at] ?? 0) ^ 1;
    writeFileSync(path, torn);
    const opened = openJournal({ path, id, place: start, size });
    assert.deepEqual(allOf(opened), ['whole'], `byte ${at}`);
    opened.close();
  }
});

test('a damaged frame that others follow is no torn end: the journal is refused, and says what to do', async (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  for (const text of ['first', 'second', 'third']) await append(journal, text);
  journal.close();
  const bytes = readFileSync(path);
  for (const at of [3, 8, 20, 40, 66, 4_100, 4_160]) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    writeFileSync(path, damaged);
    assert.throws(
      () => openJournal({ path, id, place: start, size }),
      (error) => isUnavailable(error) && /cannot be read: restore the data folder/.test(String(error)),
      `byte ${at}`,
    );
  }
});

test('frames of another journal, and of an earlier round, are not read', async (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  await append(journal, 'mine');
  journal.close();
  const other = openJournal({ path, id: new Uint8Array(16).fill(8), place: start, size });
  assert.deepEqual(allOf(other), []);
  other.close();
  const later = openJournal({ path, id, place: { sequence: 2, offset: 0 }, size });
  assert.deepEqual(allOf(later), []);
  later.close();
});

test('a full journal takes nothing, and takes again what is released', async (t) => {
  const journal = openJournal({ path: temporary(t), id, place: start, size });
  for (let i = 0; i < size / 4_096; i += 1) assert.equal(await append(journal, `frame ${i}`), true);
  assert.equal(await append(journal, 'one more'), false);
  assert.equal(journal.share(), 1);
  takeOne(journal);
  assert.equal(await append(journal, 'one more'), true);
  assert.equal(await append(journal, 'and another'), false);
  assert.equal(allOf(journal).at(-1), 'one more');
  journal.close();
});

test('a frame that failed leaves its number in doubt: nothing is taken until a place beyond it is released', async () => {
  // A file that takes nothing: every write to it finds a full disk.
  const journal = openJournal({ path: '/dev/full', id, place: start, size });
  await assert.rejects(append(journal, 'lost'), isUnavailable);
  assert.equal(await append(journal, 'refused'), false);
  const beyond = journal.skip();
  assert.deepEqual(beyond, { sequence: 2, offset: 0 });
  journal.release(beyond);
  await assert.rejects(append(journal, 'tried'), isUnavailable);
  journal.close();
});

test('a number can be given up without a write, and a closed journal takes nothing', async (t) => {
  const journal = openJournal({ path: temporary(t), id, place: start, size });
  journal.doubt();
  assert.equal(await append(journal, 'refused'), false);
  journal.release(journal.skip());
  assert.equal(await append(journal, 'taken'), true);
  journal.close();
  await assert.rejects(append(journal, 'late'), isUnavailable);
});

test('what may lie under a doubtful number is not read once a place beyond it is known', async (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  await append(journal, 'durable');
  const beyond = journal.skip();
  // As if the write had failed, and the bytes had reached the disk all the same.
  await append(journal, 'failed');
  journal.close();
  const again = openJournal({ path, id, place: beyond, size });
  assert.deepEqual(allOf(again), []);
  assert.equal(await append(again, 'after'), true);
  assert.deepEqual(allOf(again), ['after']);
  again.close();
});

test('frames that began anew at the start of the file are kept after a start, whatever place was noted', async (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  await append(journal, 'a'.repeat(16_321));
  const place = takeOne(journal) ?? assert.fail('there is a frame');
  // Empty: the next one is at the start again, while the place that is noted is behind the first.
  for (const length of [8_129, 16_321, 12_225]) assert.equal(await append(journal, 'b'.repeat(length)), true);
  journal.close();
  const again = openJournal({ path, id, place, size });
  assert.equal(await append(again, 'c'.repeat(16_321)), false, 'there is no room for it');
  assert.deepEqual(
    allOf(again).map(({ length }) => length),
    [8_129, 16_321, 12_225],
  );
  again.close();
});

test('a journal of another size on the disk still holds what was written', async (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  await append(journal, 'kept');
  journal.close();
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.alloc(10), 0, 10, size);
  closeSync(fd);
  const again = openJournal({ path, id, place: start, size });
  assert.deepEqual(allOf(again), ['kept']);
  again.close();
});

test('whatever is appended, released and opened anew: what is kept is read, whole and in order', async (t) => {
  const kinds = fc.oneof(
    { weight: 5, arbitrary: fc.constant('append') },
    { weight: 2, arbitrary: fc.constant('append while another takes') },
    { weight: 4, arbitrary: fc.constant('take') },
    { weight: 1, arbitrary: fc.constant('reopen') },
    { weight: 1, arbitrary: fc.constant('skip') },
  );
  const step = fc.record({ kind: kinds, length: fc.integer({ min: 3, max: 20_000 }) });
  let wraps = 0;

  async function run(steps: readonly { readonly kind: string; readonly length: number }[]): Promise<void> {
    const path = temporary(t);
    let place: JournalPlace = start;
    const open = () => {
      const journal = openJournal({ path, id, place, size });
      return { journal, tail: joinJournal({ path, id, memory: journal.memory }) };
    };
    let { journal, tail } = open();
    const kept: string[] = [];
    function take(): void {
      const next = takeOne(tail);
      assert.equal(next === undefined, kept.length === 0);
      if (next !== undefined && next.offset < place.offset) wraps += 1;
      place = next ?? place;
      kept.shift();
    }
    for (const [n, { kind, length }] of steps.entries()) {
      if (kind.startsWith('append')) {
        const text = `${n}:`.padEnd(length, 'x');
        const appended = append(journal, text);
        const wasEmpty = kept.length === 0;
        if (kind !== 'append') take();
        if (await appended) kept.push(text);
        else assert.ok(!wasEmpty, 'an empty journal has room');
      } else if (kind === 'take') take();
      else if (kind === 'skip' && kept.length === 0) {
        place = tail.skip();
        tail.release(place);
      } else if (kind === 'reopen') {
        journal.close();
        tail.close();
        ({ journal, tail } = open());
      }
      assert.deepEqual(allOf(tail), kept);
    }
    journal.close();
    tail.close();
  }

  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 120 }), run), { numRuns: 300 });
  assert.ok(wraps > 5, `the file's end was passed ${wraps} times`);
});
