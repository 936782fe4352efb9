// Owns how far the embedded store has taken in its journal: one row, moved in the transaction that takes frames in.

import { AppError } from '@countersign/core/errors';
import type { JournalPlace } from '../platform/journal/marks.ts';
import { type BuiltStatements, runBuilt } from './built-statements.ts';
import type { Store, Tx } from './schema.ts';

export type KnownJournal = { readonly id: Uint8Array; readonly place: JournalPlace };

/** The journal of this store; undefined before it has one. Spans organizations: frames hold entries of any. */
export async function readJournalPlace(store: Store): Promise<KnownJournal | undefined> {
  const row = await store
    .selectFrom('journal_places')
    .select(['journal_id', 'next_sequence', 'next_offset'])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return { id: row.journal_id, place: { sequence: row.next_sequence, offset: row.next_offset } };
}

/** Notes a new journal, whose first frame has the number 1, in the place of a former one. `id` has 16 bytes. */
export async function startJournal(tx: Tx, id: Uint8Array): Promise<void> {
  await tx.deleteFrom('journal_places').execute();
  await tx
    .insertInto('journal_places')
    .values({ journal_id: id, next_sequence: 1, next_offset: 0 })
    .execute();
}

/** Moves to the first frame that is not taken in. Throws `internal` if that would be a step back. */
export async function moveJournalPlace(
  built: BuiltStatements,
  id: Uint8Array,
  tx: Tx,
  { sequence, offset }: JournalPlace,
): Promise<void> {
  const { numAffectedRows } = await runBuilt(
    tx,
    built,
    'move journal',
    [sequence, offset, id, sequence],
    () =>
      tx
        .updateTable('journal_places')
        .set({ next_sequence: sequence, next_offset: offset })
        .where('journal_id', '=', id)
        .where('next_sequence', '<', sequence),
  );
  if (numAffectedRows !== 1n) throw new AppError('internal', 'the journal was taken in twice');
}
