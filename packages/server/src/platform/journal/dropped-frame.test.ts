// Owns the claims about the end of a journal: a last frame that is not whole is never dropped without a word.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openJournal } from './journal.ts';
import type { JournalPlace } from './marks.ts';

const id = new Uint8Array(16).fill(7);
const size = 64 * 1024;
const start = { sequence: 1, offset: 0 };

function open(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-dropped-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'journal');
  const journal = openJournal({ path, id, place: start, size });
  /** What is said when the file, changed in a way, is opened; and how many frames are read. */
  function reopened(change: (bytes: Buffer) => void, place: JournalPlace = start) {
    const bytes = readFileSync(path);
    const changed = Buffer.from(bytes);
    change(changed);
    writeFileSync(path, changed);
    const dropped: unknown[] = [];
    const again = openJournal({ path, id, place, size, onDropped: (frame) => dropped.push(frame) });
    const { first, next } = again.span();
    again.close();
    writeFileSync(path, bytes);
    return { dropped, frames: next - first };
  }
  return { journal, reopened };
}

test('one bit that is wrong anywhere in the last frame drops it with its number and length', async (t) => {
  const { journal, reopened } = open(t);
  await journal.append([Buffer.alloc(5_000, 1)]);
  await journal.append([Buffer.alloc(5_000, 2)]);
  journal.close();
  assert.deepEqual(
    reopened(() => {}),
    { dropped: [], frames: 2 },
  );
  const frame = 2 * 4_096;
  // Each byte of magic, length, sequence, id and hash, and some of the payload.
  for (const at of [...Array.from({ length: 64 }, (_, i) => i), 64, 700, 4_096, 5_063]) {
    const { dropped, frames } = reopened((bytes) => {
      bytes[frame + at] = (bytes[frame + at] ?? 0) ^ 4;
    });
    assert.equal(frames, 1, `byte ${at}`);
    const bytes = at >= 4 && at < 8 ? undefined : 5_000;
    const [said] = dropped;
    assert.deepEqual(dropped.length, 1, `byte ${at}`);
    assert.deepEqual(said, { ...Object(said), sequence: 2, offset: frame, ...(bytes ? { bytes } : {}) });
  }
});

test('a write that was torn is told as damage is: nobody can tell them apart', async (t) => {
  const { journal, reopened } = open(t);
  await journal.append([Buffer.alloc(100, 1)]);
  await journal.append([Buffer.alloc(9_000, 2)]);
  journal.close();
  const torn = reopened((bytes) => bytes.fill(0, 2 * 4_096));
  assert.deepEqual(torn, { dropped: [{ sequence: 2, offset: 4_096, bytes: 9_000 }], frames: 1 });
  // Of what never began there is nothing to tell.
  assert.deepEqual(
    reopened((bytes) => bytes.fill(0, 4_096)),
    { dropped: [], frames: 1 },
  );
});

test('older frames behind the last one, and one that began anew at the start of the file, are told apart', async (t) => {
  const { journal, reopened } = open(t);
  const lengths = [16_000, 16_000, 16_000, 12_000];
  for (const length of lengths) await journal.append([Buffer.alloc(length, 3)]);
  for (let n = 0; n < 3; n += 1) {
    const frame = journal.read() ?? assert.fail('there is a frame');
    journal.release(frame.next);
  }
  const place = journal.read() ?? assert.fail('there is a frame');
  await journal.append([Buffer.alloc(9_000, 4)]);
  journal.close();
  const kept = { sequence: 4, offset: place.offset };
  assert.deepEqual(
    reopened(() => {}, kept),
    { dropped: [], frames: 2 },
  );
  const damaged = reopened((bytes) => bytes.fill(9, 100, 101), kept);
  assert.deepEqual(damaged, { dropped: [{ sequence: 5, offset: 0, bytes: 9_000 }], frames: 1 });
});

test('a frame of the journal of a former run, with the number that is to come next, was not dropped by this one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-dropped-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'journal');
  const frames = async (run: number, lengths: readonly number[]) => {
    const journal = openJournal({ path, id: new Uint8Array(16).fill(run), place: start, size });
    for (const length of lengths) {
      await journal.append([Buffer.alloc(length, run)]);
      // What has been taken in gives its room free: the next one begins at the start of the file.
      journal.release((journal.read() ?? assert.fail('there is a frame')).next);
    }
    journal.close();
  };
  await frames(1, [100, 100, 9_000]);
  const former = readFileSync(path);
  await frames(2, [100, 100]);
  // It was killed before its third frame began, and the third one of the former run lies where that would.
  writeFileSync(path, former);
  const dropped: unknown[] = [];
  const options = {
    path,
    id: new Uint8Array(16).fill(2),
    size,
    onDropped: (frame: unknown) => dropped.push(frame),
  };
  openJournal({ ...options, place: { sequence: 3, offset: 0 } }).close();
  assert.deepEqual(dropped, []);
  writeFileSync(path, former.fill(0, 4_096, 8_192));
  openJournal({ ...options, place: { sequence: 3, offset: 0 } }).close();
  assert.equal(dropped.length, 1, 'what is not whole is told, whosever it is');
});
