// Owns the database behind a journal: what is in the one is taken into the other, and what moves heads waits for that.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { createTurn } from '../../platform/db/turn.ts';
import type { Journal } from '../../platform/journal/journal.ts';
import { createArena } from '../../platform/memory/arena.ts';
import { createBuilt } from '../../stores/built-statements.ts';
import { readHead } from '../../stores/heads.ts';
import { moveJournalPlace } from '../../stores/journal-places.ts';
import { type Committer, type CommitterDeps, createCommitter } from './committer.ts';
import type { Appender, Standings } from './journal-hold.ts';
import type { Standing } from './place-batch.ts';
import type { Projection } from './projection.ts';
import { arenaBytes, type TakeInDeps, takeIn } from './take-in.ts';

export type JournaledDeps = Omit<CommitterDeps, 'beside'> & {
  readonly journal: Journal;
  readonly projection: Projection;
  /** The thread that appends to the journal, once it is attached. */
  readonly appender: Appender;
  /** Hears whether the database could take the journal in, whenever that changes. */
  readonly onFollowing: (isFollowing: boolean) => void;
};

export type JournaledCommitter = Committer & {
  readonly standings: (orgIds: readonly OrgId[]) => Promise<Standings>;
  /** From now on somebody appends: it is told that it may, and asked for the journal whenever that must wait. */
  readonly attach: () => Promise<void>;
};

const waitMs = 30_000;

/** The taking in of a journal: one at a time, shared by all who wait for it. */
function createSettling(
  deps: Omit<TakeInDeps, 'isAwaited' | 'arena'>,
  onFollowing: JournaledDeps['onFollowing'],
): Pick<Committer, 'settle' | 'follow'> {
  const arena = createArena(arenaBytes);
  let running: Promise<void> | undefined;
  let isFollowing = true;
  let waiting = 0;

  function note(follows: boolean): void {
    if (follows !== isFollowing) onFollowing(follows);
    isFollowing = follows;
  }

  async function run(): Promise<void> {
    try {
      await takeIn({ ...deps, arena, isAwaited: () => waiting > 0 });
      note(true);
    } catch (error) {
      note(false);
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

/** Where logs stand in the database. */
async function readStandings(db: JournaledDeps['db'], orgIds: readonly OrgId[]): Promise<Standings> {
  const found: [OrgId, Standing | undefined][] = [];
  for (const orgId of orgIds) {
    const head = await readHead(db, orgId);
    found.push([orgId, head && { version: head.version, size: head.size }]);
  }
  return found;
}

/** Runs what writes to the database itself. To be called when everything before it is there. */
async function runPast<T>(journal: Journal, work: () => Promise<T>): Promise<T> {
  const skipped = journal.skip();
  const value = await work().catch((error: unknown) => {
    // INVARIANT: a commit that the disk has failed is undone here, but may be there after a crash, with the number that
    // it skipped. Until another one has taken its place nothing is said to be durable under that number.
    if (!(error instanceof AppError) || error.code === 'storage_unavailable') journal.doubt();
    throw error;
  });
  journal.release(skipped);
  return value;
}

/** Runs what moves heads, one after the other, and with the journal in its hands. */
function createExclusive({ db, journal, appender }: JournaledDeps, settle: () => Promise<void>) {
  const turn = createTurn(waitMs);
  let isAttached = false;

  async function holding<T>(orgIds: readonly OrgId[], work: () => Promise<T>): Promise<T> {
    if (isAttached) await appender.hold();
    // INVARIANT: where the database has not taken the journal in, it does not know where the logs stand.
    let moved: Standings = [];
    try {
      await settle();
      moved = orgIds.map((orgId) => [orgId, undefined]);
      const value = await runPast(journal, work);
      moved = await readStandings(db, orgIds).catch(() => moved);
      return value;
    } finally {
      if (isAttached) appender.resume(moved);
    }
  }

  return {
    async run<T>(orgIds: readonly OrgId[], work: () => Promise<T>): Promise<T> {
      await turn.take();
      return holding(orgIds, work).finally(turn.give);
    },
    async attach(): Promise<void> {
      await turn.take();
      isAttached = true;
      appender.resume([]);
      turn.give();
    },
  };
}

/**
 * A committer behind a journal that another thread appends to. INVARIANT: whatever moves a head here does so while it
 * holds the journal, and when everything in it is in the database.
 */
export function createJournaledCommitter(deps: JournaledDeps): JournaledCommitter {
  const { db, journal, projection } = deps;
  const moveTo = moveJournalPlace.bind(undefined, createBuilt(deps.direct), journal.id);
  const direct = createCommitter({ ...deps, beside: (tx) => moveTo(tx, journal.skip()) });
  const { settle, follow } = createSettling({ journal, direct, projection, moveTo }, deps.onFollowing);
  const { run, attach } = createExclusive(deps, settle);
  return {
    commit: (batches) =>
      run(
        batches.map(({ orgId }) => orgId),
        () => direct.commit(batches),
      ),
    withLog: (orgId, work) => run([orgId], () => direct.withLog(orgId, work)),
    withNewLog: (orgId, log, work) => run([orgId], () => direct.withNewLog(orgId, log, work)),
    settle,
    follow,
    standings: (orgIds) => readStandings(db, orgIds),
    attach,
  };
}
