// Owns how far two exports of one log have the same entries.

import { sameBytes } from '@countersign/core/ledger/primitives';
import { tileAt, tilePath, tileWidth } from '@countersign/core/ledger/tile';
import type { ExportDirectory } from './read-export.ts';

/** An export that was verified, and how many entries it has. */
export type SizedExport = { readonly source: ExportDirectory; readonly size: number };

function leavesOf({ source, size }: SizedExport, index: number): Uint8Array {
  const tile = tileAt(size, 0, index);
  const bytes = tile === undefined ? undefined : source.read(tilePath(tile));
  return bytes ?? new Uint8Array(0);
}

/** How many entries both begin with. Compares leaf hashes, so both must have been verified. */
export function commonBeginning(a: SizedExport, b: SizedExport): number {
  const size = Math.min(a.size, b.size);
  for (let index = 0; index * tileWidth < size; index += 1) {
    const [left, right] = [leavesOf(a, index), leavesOf(b, index)];
    const width = Math.min(tileWidth, size - index * tileWidth);
    if (sameBytes(left.subarray(0, width * 32), right.subarray(0, width * 32))) continue;
    for (let at = 0; at < width; at += 1) {
      const range = [at * 32, at * 32 + 32] as const;
      if (!sameBytes(left.subarray(...range), right.subarray(...range))) return index * tileWidth + at;
    }
  }
  return size;
}
