// Owns what copies are made from: the entries of an export, read in their order from its bundles.

import { AppError } from '@countersign/core/errors';
import type { CopiedEntry } from '@countersign/core/ledger/copies/copied-entry';
import { toHex } from '@countersign/core/ledger/encoding';
import { decodeEntry } from '@countersign/core/ledger/entry';
import { decodeBundle, entriesLevel, tileAt, tilePath, tileWidth } from '@countersign/core/ledger/tile';
import { createTreeHasher } from '@countersign/core/ledger/tree';
import { nodeVerifying, strictText } from './node-verifying.ts';
import type { ExportDirectory } from './read-export.ts';

/** An entry as formats take it. Throws `invalid_request` for bytes that are no entry of a version known here. */
export function copiedEntry(bytes: Uint8Array, index: number, leaf: Uint8Array): CopiedEntry {
  const text = strictText(bytes);
  const decoded = text === undefined ? undefined : decodeEntry(text);
  if (text !== undefined && decoded?.ok === true)
    return { entry: decoded.entry, text, index, leaf: toHex(leaf) };
  const why = decoded?.ok === false ? decoded.reason : 'it is not UTF-8';
  throw new AppError('invalid_request', `entry ${index} cannot be copied: ${why}`);
}

/**
 * The entries of a verified export from place `from` on. One bundle is in memory at a time.
 * Throws `invalid_request` where a bundle has gone since, or holds what is no entry.
 */
export function* copiedEntries(
  source: ExportDirectory,
  size: number,
  from = 0,
): Generator<CopiedEntry, void> {
  const hasher = createTreeHasher(nodeVerifying.sha256);
  for (let index = Math.floor(from / tileWidth); index * tileWidth < size; index += 1) {
    const tile = tileAt(size, entriesLevel, index);
    const bytes = tile === undefined ? undefined : source.read(tilePath(tile));
    if (tile === undefined || bytes === undefined) {
      throw new AppError('invalid_request', 'a bundle of entries is missing, verify the export first');
    }
    const { entries } = decodeBundle(bytes, tile.width);
    const first = index * tileWidth;
    for (const [at, entry] of entries.entries()) {
      if (first + at >= from) yield copiedEntry(entry, first + at, hasher.leaf(entry));
    }
  }
}
