// Owns making the committer and the projector of the thread that writes: over a journal on the embedded store, alone on PostgreSQL.

import { join } from 'node:path';
import type { OrgId } from '@countersign/core/ids';
import type { Kysely } from 'kysely';
import type { OpenDatabase } from '../platform/db/open.ts';
import { openJournal } from '../platform/journal/journal.ts';
import { createSealer, type Sealer } from '../platform/sealer/sealer.ts';
import { type Committer, createCommitter } from '../services/ledger/committer.ts';
import { createJournaledCommitter } from '../services/ledger/journaled-committer.ts';
import { createProjection } from '../services/ledger/projection.ts';
import { createProjector, type Projector } from '../services/ledger/projector.ts';
import { createBuilt } from '../stores/built-statements.ts';
import { insertJournal, type KnownJournal, readJournalPlace } from '../stores/journal-places.ts';
import type { Tables } from '../stores/schema.ts';
import type { ThreadData } from './threads.ts';

export type OpenCommitter = {
  readonly committer: Committer;
  readonly projector: Projector;
  readonly sealer: Sealer;
  readonly close: () => void;
};

const journalName = 'countersign.journal';

/** What the database knows of its journal; a new store gets one, with an id of its own. */
async function journalOf(
  db: Kysely<Tables>,
  randomBytes: (count: number) => Uint8Array,
): Promise<KnownJournal> {
  const known = await readJournalPlace(db);
  if (known !== undefined) return known;
  const id = randomBytes(16);
  await db.transaction().execute((tx) => insertJournal(tx, id));
  return { id, place: { sequence: 1, offset: 0 } };
}

/** Opens the committer. On an embedded store it first takes in what a former run has left in the journal. */
export async function openCommitter(
  { storage, masterKeys }: ThreadData,
  { db, direct, dialect }: OpenDatabase<Tables>,
  randomBytes: (count: number) => Uint8Array,
  onCheckpoint: (orgId: OrgId, checkpoint: string) => void,
): Promise<OpenCommitter> {
  const sealer = createSealer(masterKeys);
  const built = createBuilt(direct);
  const projection = createProjection(built);
  const projector = createProjector(db, built, projection);
  const deps = { db, direct, locksRows: dialect === 'postgres', sealer, now: Date.now, onCheckpoint };
  if (storage.kind === 'postgres')
    return { committer: createCommitter(deps), projector, sealer, close: () => {} };
  const { id, place } = await journalOf(db, randomBytes);
  const journal = openJournal({ path: join(storage.directory, journalName), id, place });
  const committer = createJournaledCommitter({ ...deps, journal, journalId: id, projection });
  await committer.settle();
  return { committer, projector, sealer, close: journal.close };
}
