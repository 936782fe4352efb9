// Owns making the committer and the projector of the thread that writes: over a journal on the embedded store, alone on PostgreSQL.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { OrgId } from '@countersign/core/ids';
import type { OpenDatabase } from '../platform/db/open.ts';
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

/**
 * Opens the committer. On an embedded store it first takes in what a former run has left in the journal; `onMissing`
 * hears if that is not there, as beside a copy of the database alone.
 */
export async function openCommitter(
  { storage, masterKeys }: ThreadData,
  { db, direct, dialect }: OpenDatabase<Tables>,
  randomBytes: (count: number) => Uint8Array,
  onCheckpoint: (orgId: OrgId, checkpoint: string) => void,
  onMissing: (path: string) => void,
  journaling: Pick<JournaledDeps, 'appender' | 'onFollowing'>,
): Promise<OpenCommitter> {
  const sealer = createSealer(masterKeys);
  const built = createBuilt(direct);
  const projection = createProjection(built);
  const projector = createProjector(db, built, projection);
  const deps = { db, direct, locksRows: dialect === 'postgres', sealer, now: Date.now, onCheckpoint };
  if (storage.kind === 'postgres')
    return { committer: createCommitter(deps), journaled: undefined, projector, sealer, close: () => {} };
  const path = join(storage.directory, journalName);
  const over = (journal: Journal) =>
    createJournaledCommitter({ ...deps, ...journaling, journal, projection });
  const former = await readJournalPlace(db);
  if (former !== undefined) {
    if (!existsSync(path)) onMissing(path);
    const journal = openJournal({ path, ...former });
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
