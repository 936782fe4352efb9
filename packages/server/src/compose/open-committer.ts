// Owns making the committer and the projector of the thread that writes: over a journal on the embedded store, alone on PostgreSQL.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { OrgId } from '@countersign/core/ids';
import type { OpenDatabase } from '../platform/db/open.ts';
import type { DroppedFrame } from '../platform/journal/file.ts';
import { type Journal, type JournalSeat, openJournal } from '../platform/journal/journal.ts';
import { createSealer, type Sealer } from '../platform/sealer/sealer.ts';
import { type Committer, createCommitter } from '../services/ledger/committer.ts';
import {
  createJournaledCommitter,
  type JournaledCommitter,
  type JournaledDeps,
} from '../services/ledger/journaled-committer.ts';
import { createProjection } from '../services/ledger/projection.ts';
import { createProjector, type Projector } from '../services/ledger/projector.ts';
import { createBuilt } from '../stores/built-statements.ts';
import { readJournalPlace, startJournal } from '../stores/journal-places.ts';
import type { Tables } from '../stores/schema.ts';
import type { ThreadData } from './threads.ts';

/** The journal of this run, for the thread that appends to it, and the committer behind it. */
type Journaled = { readonly seat: JournalSeat; readonly committer: JournaledCommitter };

export type OpenCommitter = {
  readonly committer: Committer;
  /** Undefined on PostgreSQL. */
  readonly journaled: Journaled | undefined;
  readonly projector: Projector;
  readonly sealer: Sealer;
  readonly close: () => void;
};

const journalName = 'countersign.journal';

const missing = (path: string): string =>
  `\`${path}\` is not there, as beside a copy of the database alone: what a former run had not taken into the database in its last moment is lost`;

const dropped = (path: string, { sequence, bytes, offset }: DroppedFrame): string =>
  `\`${path}\` ends in frame ${sequence} (${bytes} bytes, at ${offset}), which is not whole and was dropped: the last write of ` +
  'the former run. A power cut tore it, and nobody was answered for it; or it was damaged since, and the ends of calls ' +
  'that were answered are lost: they are closed with status `unknown`';

/**
 * Opens the committer. On an embedded store it first takes in what a former run has left in the journal; `onLoss`
 * hears, in words for an operator, if that is not there or its last frame is not whole.
 */
export async function openCommitter(
  { storage, masterKeys }: Pick<ThreadData, 'storage' | 'masterKeys'>,
  { db, direct, dialect }: OpenDatabase<Tables>,
  randomBytes: (count: number) => Uint8Array,
  onCheckpoint: (orgId: OrgId, checkpoint: string) => void,
  onLoss: (text: string) => void,
  { onAltered, ...journaling }: Pick<JournaledDeps, 'appender' | 'onFollowing' | 'onAltered'>,
): Promise<OpenCommitter> {
  const sealer = createSealer(masterKeys);
  const built = createBuilt(direct);
  const projection = createProjection(built);
  const projector = createProjector(db, built, projection);
  const locksRows = dialect === 'postgres';
  const deps = { db, direct, locksRows, sealer, now: Date.now, onCheckpoint, onAltered };
  if (storage.kind === 'postgres')
    return { committer: createCommitter(deps), journaled: undefined, projector, sealer, close: () => {} };
  const path = join(storage.directory, journalName);
  const over = (journal: Journal) =>
    createJournaledCommitter({ ...deps, ...journaling, journal, projection });
  const former = await readJournalPlace(db);
  if (former !== undefined) {
    if (!existsSync(path)) onLoss(missing(path));
    const onDropped = (frame: DroppedFrame): void => onLoss(dropped(path, frame));
    const journal = openJournal({ path, ...former, onDropped });
    await over(journal).settle().finally(journal.close);
  }
  // INVARIANT: each run writes under an id of its own. What former runs have left in the file can then never be read
  // again, whatever becomes of the database: a copy of it from yesterday, put beside the journal of today.
  const id = randomBytes(16);
  await db.transaction().execute((tx) => startJournal(tx, id));
  const journal = openJournal({ path, id, place: { sequence: 1, offset: 0 } });
  const committer = over(journal);
  const seat = { path, id, memory: journal.memory };
  return { committer, journaled: { seat, committer }, projector, sealer, close: journal.close };
}
