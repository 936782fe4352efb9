// Owns the commit of entries on an embedded store: durable in the journal at once, in the database soon after.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { createTurn } from '../../platform/db/turn.ts';
import { checkParameter } from '../../platform/db/values.ts';
import type { Journal } from '../../platform/journal/journal.ts';
import { createBuilt } from '../../stores/built-statements.ts';
import { readHead } from '../../stores/heads.ts';
import { moveJournalPlace } from '../../stores/journal-places.ts';
import type { OrgBatch, OrgCommit } from './batch.ts';
import { type Committer, type CommitterDeps, createCommitter, type DirectCommitter } from './committer.ts';
import { encodePayload, type PlacedBatch } from './journal-payload.ts';
import { type Placing, placeBatch, type Standing } from './place-batch.ts';
import type { Projection } from './projection.ts';
import { type TakeInDeps, takeIn } from './take-in.ts';

export type JournaledDeps = Omit<CommitterDeps, 'beside'> & {
  readonly journal: Journal;
  readonly projection: Projection;
};

/** Bytes beyond which a frame goes into the database at once. */
const mostBytes = 1024 * 1024;
/** The part of the journal from which on it is taken in without waiting for the next time. */
const fullShare = 0.5;
const waitMs = 30_000;

/** The taking in of a journal: one at a time, shared by all who wait for it. */
function createSettling(deps: Omit<TakeInDeps, 'isAwaited'>) {
  let running: Promise<void> | undefined;
  let hasFailed = false;
  let waiting = 0;

  async function run(): Promise<void> {
    try {
      await takeIn({ ...deps, isAwaited: () => waiting > 0 });
      hasFailed = false;
    } catch (error) {
      hasFailed = true;
      throw error;
    } finally {
      running = undefined;
    }
  }

  /** Resolves when every frame that there is now is taken in. */
  async function follow(): Promise<void> {
    const { next: until } = deps.journal.span();
    while (deps.journal.span().first < until) {
      running ??= run();
      await running;
    }
  }

  return {
    hasFailed: () => hasFailed,
    follow,
    /** The same for those who wait for it: without a rest. */
    async settle(): Promise<void> {
      waiting += 1;
      await follow().finally(() => {
        waiting -= 1;
      });
    },
  };
}

/** Where each log stands with all that the journal holds of it, looked up once. */
function createStandings(db: JournaledDeps['db']) {
  const known = new Map<OrgId, Standing>();
  return {
    async of(orgId: OrgId): Promise<Standing> {
      const standing = known.get(orgId);
      if (standing !== undefined) return standing;
      const head = await readHead(db, orgId);
      if (head === undefined) throw new AppError('not_found', `there is no ledger for \`${orgId}\``);
      known.set(orgId, head);
      return head;
    },
    set: (orgId: OrgId, standing: Standing): void => void known.set(orgId, standing),
    forget: (orgId: OrgId): void => void known.delete(orgId),
  };
}

type Parts = {
  readonly journal: Journal;
  readonly direct: DirectCommitter;
  readonly settling: ReturnType<typeof createSettling>;
  readonly standings: ReturnType<typeof createStandings>;
};

/** Runs what writes to the database itself, when everything before it is there. To be called with the turn held. */
async function runPast<T>(
  { journal, settling, standings }: Parts,
  orgIds: readonly OrgId[],
  work: () => Promise<T>,
): Promise<T> {
  await settling.settle();
  for (const orgId of orgIds) standings.forget(orgId);
  const skipped = journal.skip();
  const value = await work().catch((error: unknown) => {
    // INVARIANT: a commit that the disk has failed is undone here, but may be there after a crash, with the number that
    // it skipped. Until another one has taken its place nothing is said to be durable under that number.
    if (!(error instanceof AppError) || error.code === 'storage_unavailable') journal.doubt();
    throw error;
  });
  journal.release(skipped);
  // It is committed, whatever comes of looking ahead for the next ones.
  for (const orgId of orgIds) await standings.of(orgId).catch(() => {});
  return value;
}

/**
 * INVARIANT: whatever the database would refuse of a batch, however often it is tried, is refused before it is in the
 * journal, which could else never be taken in.
 */
function checkBeside({ sidecars, objects }: PlacedBatch): void {
  for (const { value } of sidecars) Object.values(value).forEach(checkParameter);
  for (const { value } of objects) Object.values(value).forEach(checkParameter);
}

/** Returns false when the journal cannot take them now. */
async function append({ journal, settling }: Parts, batches: readonly PlacedBatch[]): Promise<boolean> {
  const parts = encodePayload(batches);
  if (parts.reduce((sum, { length }) => sum + length, 0) > mostBytes) return false;
  if (journal.append(parts)) return true;
  await settling.settle();
  return journal.append(parts);
}

/** Commits batches with the turn held. */
async function commitInTurn(parts: Parts, batches: readonly OrgBatch[]): Promise<readonly OrgCommit[]> {
  const { settling, standings, direct } = parts;
  if (settling.hasFailed()) await settling.settle();
  const staged = new Map<OrgId, Standing>();
  const placings: Placing[] = [];
  for (const batch of batches) {
    const placing = placeBatch(batch, staged.get(batch.orgId) ?? (await standings.of(batch.orgId)));
    const { placed, reply } = placing;
    staged.set(batch.orgId, { version: reply.version, size: placed.at + placed.count });
    placings.push(placing);
  }
  const kept = placings.flatMap(({ placed }) => (placed.count > 0 ? [placed] : []));
  kept.forEach(checkBeside);
  if (kept.length > 0 && !(await append(parts, kept)))
    return runPast(parts, [...staged.keys()], () => direct.commit(batches));
  for (const [orgId, standing] of staged) standings.set(orgId, standing);
  return placings.map(({ reply }) => reply);
}

/**
 * A committer whose entries are durable, and have their places, when they are in the journal. INVARIANT: whatever
 * else moves a head, a command above all, does so with the turn held and the journal empty; so the order of the
 * journal is the order of the log, and the version that a log has is known without asking the database.
 */
export function createJournaledCommitter(deps: JournaledDeps): Committer {
  const { db, journal, projection } = deps;
  const moveTo = moveJournalPlace.bind(undefined, createBuilt(deps.direct), journal.id);
  const direct = createCommitter({ ...deps, beside: (tx) => moveTo(tx, journal.skip()) });
  const settling = createSettling({ journal, direct, projection, moveTo });
  const parts = { journal, direct, settling, standings: createStandings(db) };
  const turn = createTurn(waitMs);

  async function exclusive<T>(orgId: OrgId, work: () => Promise<T>): Promise<T> {
    await turn.take();
    return runPast(parts, [orgId], work).finally(turn.give);
  }

  return {
    async commit(batches) {
      await turn.take();
      const replies = await commitInTurn(parts, batches).finally(turn.give);
      // An id that the provider gave out may be named by the next call.
      const mustBeSeen = batches.some(({ objects }) => objects.length > 0);
      if (mustBeSeen || journal.share() > fullShare) {
        // INVARIANT: the entries are durable; a database that cannot take them in now refuses the next ones.
        const settled = settling.settle().catch(() => {});
        if (mustBeSeen) await settled;
      }
      return replies;
    },
    withLog: (orgId, work) => exclusive(orgId, () => direct.withLog(orgId, work)),
    withNewLog: (orgId, log, work) => exclusive(orgId, () => direct.withNewLog(orgId, log, work)),
    settle: settling.settle,
    follow: settling.follow,
  };
}
