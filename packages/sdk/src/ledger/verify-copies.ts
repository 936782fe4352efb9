// Owns the check of an export's copies: each line is an entry of the verified tree, or made from one, in the tree's order.

import { AppError } from '@countersign/core/errors';
import { type CopyForm, copyForms } from '@countersign/core/ledger/copies/formats';
import { toHex } from '@countersign/core/ledger/encoding';
import type { Verifying } from '@countersign/core/ledger/primitives';
import { sameBytes } from '@countersign/core/ledger/primitives';
import { tileAt, tilePath, tileWidth } from '@countersign/core/ledger/tile';
import { createTreeHasher } from '@countersign/core/ledger/tree';
import { copiedEntries } from './copied-entries.ts';
import type { Progress } from './progress.ts';
import { type ExportDirectory, exportFiles } from './read-export.ts';

/** `line` is 1-based, and counts a first line of names. */
export type CopyFinding = { readonly kind: 'copy_differs'; readonly file: string; readonly line: number };

/** The copies in an export, by their files: what `verifyCopies` compares. */
export function copiesIn(source: ExportDirectory): readonly string[] {
  const forms = Object.values(copyForms).map(({ file }) => file);
  return [exportFiles.entries, exportFiles.leaves, ...forms].filter((file) => source.has(file));
}

/**
 * Compares each copy that exists with a tree that was verified before: `entries.jsonl` and `leaf-hashes.txt` with its
 * hash tiles; of the other formats each line is made again from its entry. Gives the first line that differs.
 */
export function verifyCopies(
  deps: Verifying,
  source: ExportDirectory,
  size: number,
  progress?: Progress,
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
  // The other formats are made again together, in one pass.
  const present = checks.filter(({ file }) => source.has(file));
  const total = size * (present.length + (openForms(source).length === 0 ? 0 : 1));
  let before = 0;
  for (const { file, matches } of present) {
    let place = 0;
    let tile: Uint8Array = new Uint8Array(0);
    for (const { bytes, ended } of source.lines(file)) {
      const at = place % tileWidth;
      if (at === 0) {
        tile = readLeafTile(source, size, place / tileWidth);
        progress?.('comparing copies', before + place, total);
      }
      const leaf = tile.subarray(at * 32, at * 32 + 32);
      place += 1;
      if (!ended || leaf.length !== 32 || !matches(bytes, leaf))
        return { kind: 'copy_differs', file, line: place };
    }
    if (place !== size) return { kind: 'copy_differs', file, line: place + 1 };
    before += size;
  }
  return madeAgain(source, size, (done) => progress?.('comparing copies', before + done, total));
}

/** A copy that is read beside the others; `line` is the next one, from 1. */
type OpenCopy = {
  readonly form: CopyForm;
  readonly lines: ReturnType<ExportDirectory['lines']>;
  line: number;
};

function openForms(source: ExportDirectory): readonly CopyForm[] {
  return Object.values(copyForms).filter(({ file }) => source.has(file));
}

/** Makes the lines of the other formats again, each entry once for all of them. */
function madeAgain(
  source: ExportDirectory,
  size: number,
  onEntries: (done: number) => void,
): CopyFinding | undefined {
  const copies = openForms(source).map(
    (form): OpenCopy => ({ form, lines: source.lines(form.file), line: 1 }),
  );
  if (copies.length === 0) return undefined;
  const found = ({ form: { file }, line }: OpenCopy): CopyFinding => ({ kind: 'copy_differs', file, line });
  try {
    const unnamed = copies.find((copy) => copy.form.head !== undefined && !hasNext(copy, copy.form.head));
    if (unnamed !== undefined) return found(unnamed);
    for (const copied of copiedEntries(source, size)) {
      if (copied.index % tileWidth === 0) onEntries(copied.index);
      const differing = copies.find((copy) => !hasNext(copy, copy.form.line(copied)));
      if (differing !== undefined) return found(differing);
    }
    const longer = copies.find(({ lines }) => lines.next().done !== true);
    return longer === undefined ? undefined : found(longer);
  } catch (error) {
    // What is no entry has no line, so whatever stands there differs.
    const [first] = copies;
    if (error instanceof AppError && first !== undefined) return found(first);
    throw error;
  } finally {
    for (const { lines } of copies) lines.return();
  }
}

/** True when the next line of a copy is this one, ended; the one after it is next then. */
function hasNext(copy: OpenCopy, expected: string): boolean {
  const { value } = copy.lines.next();
  if (value?.ended !== true || !sameBytes(value.bytes, Buffer.from(expected))) return false;
  copy.line += 1;
  return true;
}

function readLeafTile(source: ExportDirectory, size: number, index: number): Uint8Array {
  const tile = tileAt(size, 0, index);
  const bytes = tile === undefined ? undefined : source.read(tilePath(tile));
  return bytes ?? new Uint8Array(0);
}
