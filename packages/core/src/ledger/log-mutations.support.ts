// Owns the random mutations of a log's files, and what an operator who holds the key would sign again.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { build, entries, headAt, type Log, text, whole } from './sample-log.support.ts';
import { decodeBundle, encodeBundle } from './tile.ts';
import type { HeldHead } from './verify-log.ts';

type Mutation = { readonly name: string; readonly log: Log; readonly held?: readonly HeldHead[] };

/** Edits one bundle's entries and leaves all else. */
function editBundle(pick: number, edit: (list: Uint8Array[]) => void): Log {
  const bundles = [...whole.files.keys()].filter((path) => path.includes('entries'));
  const file = bundles[pick % bundles.length] ?? assert.fail();
  const list = [...decodeBundle(whole.files.get(file) ?? assert.fail()).entries];
  edit(list);
  return { ...whole, files: new Map(whole.files).set(file, encodeBundle(list)) };
}

/** Edits the bytes of one file, the checkpoint included. */
export function editFile(pick: number, edit: (bytes: Uint8Array) => Uint8Array): Log {
  const names = [...whole.files.keys(), 'checkpoint'];
  const name = names[pick % names.length] ?? assert.fail();
  if (name === 'checkpoint') {
    return { ...whole, checkpoint: Buffer.from(edit(Buffer.from(whole.checkpoint))).toString('utf8') };
  }
  return { ...whole, files: new Map(whole.files).set(name, edit(whole.files.get(name) ?? assert.fail())) };
}

export const mutations = fc
  .record({
    kind: fc.integer({ min: 0, max: 8 }),
    pick: fc.nat(),
    a: fc.nat(),
    b: fc.nat(),
    byte: fc.integer({ min: 1, max: 255 }),
  })
  .map(({ kind, pick, a, b, byte }): Mutation => {
    if (kind === 0) {
      const log = editFile(pick, (bytes) =>
        bytes.slice().with(a % bytes.length, (bytes[a % bytes.length] ?? 0) ^ byte),
      );
      return { name: 'flip', log };
    }
    if (kind === 1) return { name: 'drop', log: editBundle(pick, (list) => list.splice(a % list.length, 1)) };
    if (kind === 2) {
      const log = editBundle(pick, (list) => {
        const from = a % list.length;
        const to = (from + 1 + (b % (list.length - 1))) % list.length;
        const [x, y] = [list[from] ?? assert.fail(), list[to] ?? assert.fail()];
        list.splice(from, 1, y);
        list.splice(to, 1, x);
      });
      return { name: 'swap', log };
    }
    if (kind === 3) {
      return {
        name: 'duplicate',
        log: editBundle(pick, (list) =>
          list.splice(a % list.length, 0, list[a % list.length] ?? assert.fail()),
        ),
      };
    }
    if (kind === 4)
      return {
        name: 'insert',
        log: editBundle(pick, (list) => list.splice(a % (list.length + 1), 0, text(b))),
      };
    if (kind === 5)
      return { name: 'cut file', log: editFile(pick, (bytes) => bytes.subarray(0, a % bytes.length)) };
    if (kind === 6) {
      const put = (bytes: Uint8Array) => {
        const at = a % (bytes.length + 1);
        return Buffer.concat([bytes.subarray(0, at), Uint8Array.of(byte), bytes.subarray(at)]);
      };
      return { name: 'insert byte', log: editFile(pick, put) };
    }
    // The operator signs again: only a held head shows it.
    const size = 1 + (a % 699);
    if (kind === 7) return { name: 'cut log', log: build(entries.slice(0, size)), held: [headAt(size + 1)] };
    const at = a % size;
    return {
      name: 'rewrite log',
      log: build(entries.slice(0, size).with(at, text(1000 + b))),
      held: [headAt(at + 1)],
    };
  });
