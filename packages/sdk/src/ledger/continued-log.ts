// Owns which log an export continues, as its first entry says.

import { parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { decodeEntry } from '@countersign/core/ledger/entry';
import { decodeBundle, entriesLevel, tileAt, tilePath } from '@countersign/core/ledger/tile';
import { strictText } from './node-verifying.ts';
import type { ExportDirectory } from './read-export.ts';

/** The last checkpoint that was held of the former log: the signed note, and what it says. Not verified. */
export type ContinuedLog = { readonly origin: string; readonly size: number; readonly note: string };

/** The log that this one continues; undefined where it continues none. To be asked of a verified export. */
export function continuedLog(source: ExportDirectory, size: number): ContinuedLog | undefined {
  const tile = tileAt(size, entriesLevel, 0);
  const bundle = tile === undefined ? undefined : source.read(tilePath(tile));
  const [first] = decodeBundle(bundle ?? new Uint8Array(0), 1).entries;
  const decoded = first === undefined ? undefined : decodeEntry(strictText(first) ?? '');
  if (decoded?.ok !== true || decoded.entry.type !== 'log_opened') return undefined;
  const { previous: note } = decoded.entry.opened;
  const cited = note === undefined ? undefined : parseSignedCheckpoint(note)?.checkpoint;
  return note === undefined || cited === undefined
    ? undefined
    : { origin: cited.origin, size: cited.size, note };
}
