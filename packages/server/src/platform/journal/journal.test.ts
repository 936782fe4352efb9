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
import { type Journal, type JournalPlace, openJournal } from './journal.ts';

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

function append(journal: Journal, text: string): boolean {
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

test('frames are read in their order, in this process and in the next one', (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  for (const text of ['first', 'second', 'third']) assert.equal(append(journal, text), true);
  assert.deepEqual(allOf(journal), ['first', 'second', 'third']);
  const next = takeOne(journal) ?? assert.fail('there is a frame');
  journal.close();
  const again = openJournal({ path, id, place: next, size });
  assert.deepEqual(allOf(again), ['second', 'third']);
  again.close();
});

test('a frame that is torn anywhere ends the journal, and those before it stay', (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  const long = 'x'.repeat(9_000);
  append(journal, 'whole');
  append(journal, long);
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

test('a damaged frame that others follow is no torn end: the journal is refused, and says what to do', (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  for (const text of ['first', 'second', 'third']) append(journal, text);
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

test('frames of another journal, and of an earlier round, are not read', (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  append(journal, 'mine');
  journal.close();
  const other = openJournal({ path, id: new Uint8Array(16).fill(8), place: start, size });
  assert.deepEqual(allOf(other), []);
  other.close();
  const later = openJournal({ path, id, place: { sequence: 2, offset: 0 }, size });
  assert.deepEqual(allOf(later), []);
  later.close();
});

test('a full journal takes nothing, and takes again what is released', (t) => {
  const journal = openJournal({ path: temporary(t), id, place: start, size });
  for (let i = 0; i < size / 4_096; i += 1) assert.equal(append(journal, `frame ${i}`), true);
  assert.equal(append(journal, 'one more'), false);
  assert.equal(journal.share(), 1);
  takeOne(journal);
  assert.equal(append(journal, 'one more'), true);
  assert.equal(append(journal, 'and another'), false);
  assert.equal(allOf(journal).at(-1), 'one more');
  journal.close();
});

test('a frame that failed leaves its number in doubt: nothing is taken until a place beyond it is released', () => {
  // A file that takes nothing: every write to it finds a full disk.
  const journal = openJournal({ path: '/dev/full', id, place: start, size });
  assert.throws(() => append(journal, 'lost'), isUnavailable);
  assert.equal(append(journal, 'refused'), false);
  const beyond = journal.skip();
  assert.deepEqual(beyond, { sequence: 2, offset: 0 });
  journal.release(beyond);
  assert.throws(() => append(journal, 'tried'), isUnavailable);
  journal.close();
});

test('a number can be given up without a write, and a closed journal takes nothing', (t) => {
  const journal = openJournal({ path: temporary(t), id, place: start, size });
  journal.doubt();
  assert.equal(append(journal, 'refused'), false);
  journal.release(journal.skip());
  assert.equal(append(journal, 'taken'), true);
  journal.close();
  assert.throws(() => append(journal, 'late'), isUnavailable);
});

test('what may lie under a doubtful number is not read once a place beyond it is known', (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  append(journal, 'durable');
  const beyond = journal.skip();
  // As if the write had failed, and the bytes had reached the disk all the same.
  append(journal, 'failed');
  journal.close();
  const again = openJournal({ path, id, place: beyond, size });
  assert.deepEqual(allOf(again), []);
  assert.equal(append(again, 'after'), true);
  assert.deepEqual(allOf(again), ['after']);
  again.close();
});

test('frames that began anew at the start of the file are kept after a start, whatever place was noted', (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  append(journal, 'a'.repeat(16_321));
  const place = takeOne(journal) ?? assert.fail('there is a frame');
  // Empty: the next one is at the start again, while the place that is noted is behind the first.
  for (const length of [8_129, 16_321, 12_225]) assert.equal(append(journal, 'b'.repeat(length)), true);
  journal.close();
  const again = openJournal({ path, id, place, size });
  assert.equal(append(again, 'c'.repeat(16_321)), false, 'there is no room for it');
  assert.deepEqual(
    allOf(again).map(({ length }) => length),
    [8_129, 16_321, 12_225],
  );
  again.close();
});

test('a journal of another size on the disk still holds what was written', (t) => {
  const path = temporary(t);
  const journal = openJournal({ path, id, place: start, size });
  append(journal, 'kept');
  journal.close();
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.alloc(10), 0, 10, size);
  closeSync(fd);
  const again = openJournal({ path, id, place: start, size });
  assert.deepEqual(allOf(again), ['kept']);
  again.close();
});

test('whatever is appended, released and opened anew: what is kept is read, whole and in order', (t) => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant('append'), length: fc.integer({ min: 3, max: 20_000 }) }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('take'), length: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen'), length: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('skip'), length: fc.constant(0) }) },
  );
  let wraps = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const path = temporary(t);
      let place: JournalPlace = start;
      let journal = openJournal({ path, id, place, size });
      const kept: string[] = [];
      let n = 0;
      for (const { kind, length } of steps) {
        if (kind === 'append') {
          const text = `${n}:`.padEnd(length, 'x');
          n += 1;
          if (append(journal, text)) kept.push(text);
          else assert.ok(kept.length > 0, 'an empty journal has room');
        } else if (kind === 'take') {
          const next = takeOne(journal);
          assert.equal(next === undefined, kept.length === 0);
          if (next !== undefined && next.offset < place.offset) wraps += 1;
          place = next ?? place;
          kept.shift();
        } else if (kind === 'skip' && kept.length === 0) {
          place = journal.skip();
          journal.release(place);
        } else if (kind === 'reopen') {
          journal.close();
          journal = openJournal({ path, id, place, size });
        }
        assert.deepEqual(allOf(journal), kept);
      }
      journal.close();
    }),
    { numRuns: 1_000 },
  );
  assert.ok(wraps > 5, `the file's end was passed ${wraps} times`);
});
