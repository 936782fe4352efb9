// Owns the check of an export's copies: each line is an entry of the verified tree, in the tree's order.

import { toHex } from '@countersign/core/ledger/encoding';
import type { Verifying } from '@countersign/core/ledger/primitives';
import { sameBytes } from '@countersign/core/ledger/primitives';
import { tileAt, tilePath, tileWidth } from '@countersign/core/ledger/tile';
import { createTreeHasher } from '@countersign/core/ledger/tree';
import { type ExportDirectory, exportFiles } from './read-export.ts';

/** `line` is 1-based; the entry's place in the tree is one less. */
export type CopyFinding = { readonly kind: 'copy_differs'; readonly file: string; readonly line: number };

/**
 * Compares `entries.jsonl` and `leaf-hashes.txt`, where they exist, with the hash tiles of a tree that was
 * verified before. Gives the first line that differs, or undefined.
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
  return undefined;
}

function readLeafTile(source: ExportDirectory, size: number, index: number): Uint8Array {
  const tile = tileAt(size, 0, index);
  const bytes = tile === undefined ? undefined : source.read(tilePath(tile));
  return bytes ?? new Uint8Array(0);
}
