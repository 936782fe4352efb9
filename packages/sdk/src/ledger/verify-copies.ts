// Owns the check of an export's copies: each line is an entry of the verified tree, or made from one, in the tree's order.

import { AppError } from '@countersign/core/errors';
import { type CopyForm, copyForms } from '@countersign/core/ledger/copies/formats';
import { toHex } from '@countersign/core/ledger/encoding';
import type { Verifying } from '@countersign/core/ledger/primitives';
import { sameBytes } from '@countersign/core/ledger/primitives';
import { tileAt, tilePath, tileWidth } from '@countersign/core/ledger/tile';
import { createTreeHasher } from '@countersign/core/ledger/tree';
import { copiedEntries } from './copied-entries.ts';
import { type ExportDirectory, exportFiles } from './read-export.ts';

/** `line` is 1-based, and counts a first line of names. */
export type CopyFinding = { readonly kind: 'copy_differs'; readonly file: string; readonly line: number };

/**
 * Compares each copy that exists with a tree that was verified before: `entries.jsonl` and `leaf-hashes.txt` with its
 * hash tiles; of the other formats each line is made again from its entry. Gives the first line that differs.
 */
export function verifyCopies(
  deps: Verifying,
  source: ExportDirectory,
  size: number,
): CopyFinding | undefined {
  const hasher = createTreeHasher(deps.sha256);
  const checks = [
    {
      file: exportFiles.entries,
      matches: (line: Uint8Array, leaf: Uint8Array) => sameBytes(hasher.leaf(line), leaf),
    },
    {
      file: exportFiles.leaves,
      matches: (line: Uint8Array, leaf: Uint8Array) => Buffer.from(line).toString('latin1') === toHex(leaf),
    },
  ] as const;
  for (const { file, matches } of checks) {
    if (!source.has(file)) continue;
    let place = 0;
    let tile: Uint8Array = new Uint8Array(0);
    for (const { bytes, ended } of source.lines(file)) {
      const at = place % tileWidth;
      if (at === 0) tile = readLeafTile(source, size, place / tileWidth);
      const leaf = tile.subarray(at * 32, at * 32 + 32);
      place += 1;
      if (!ended || leaf.length !== 32 || !matches(bytes, leaf))
        return { kind: 'copy_differs', file, line: place };
    }
    if (place !== size) return { kind: 'copy_differs', file, line: place + 1 };
  }
  for (const form of Object.values(copyForms)) {
    const line = source.has(form.file) ? differenceIn(source, size, form) : undefined;
    if (line !== undefined) return { kind: 'copy_differs', file: form.file, line };
  }
  return undefined;
}

/** The lines that a copy has to have. */
function* linesOf(source: ExportDirectory, size: number, form: CopyForm): Generator<string, void> {
  if (form.head !== undefined) yield form.head;
  for (const copied of copiedEntries(source, size)) yield form.line(copied);
}

function differenceIn(source: ExportDirectory, size: number, form: CopyForm): number | undefined {
  const found = source.lines(form.file);
  let line = 1;
  try {
    for (const expected of linesOf(source, size, form)) {
      const { value } = found.next();
      if (value?.ended !== true || !sameBytes(value.bytes, Buffer.from(expected))) return line;
      line += 1;
    }
    return found.next().done === true ? undefined : line;
  } catch (error) {
    // What is no entry has no line, so whatever stands there differs.
    if (error instanceof AppError) return line;
    throw error;
  } finally {
    found.return();
  }
}

function readLeafTile(source: ExportDirectory, size: number, index: number): Uint8Array {
  const tile = tileAt(size, 0, index);
  const bytes = tile === undefined ? undefined : source.read(tilePath(tile));
  return bytes ?? new Uint8Array(0);
}
