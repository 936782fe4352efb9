// Owns the entries of an export in the order of the log, one bundle in memory at a time.

import { decodeBundle, entriesLevel, tileAt, tilePath, tileWidth } from '@countersign/core/ledger/tile';
import { strictText } from './node-verifying.ts';
import type { ExportDirectory } from './read-export.ts';

/** The texts of the first `size` entries, in order. Entries that are not UTF-8 are given as an empty text. `onEntries` is told how many were. */
export function* entryTexts(
  source: ExportDirectory,
  size: number,
  onEntries?: (done: number) => void,
): Generator<string, void> {
  for (let index = 0; index * tileWidth < size; index += 1) {
    const tile = tileAt(size, entriesLevel, index);
    const bytes = tile === undefined ? undefined : source.read(tilePath(tile));
    for (const entry of decodeBundle(bytes ?? new Uint8Array(0)).entries) yield strictText(entry) ?? '';
    onEntries?.(Math.min(size, (index + 1) * tileWidth));
  }
}
