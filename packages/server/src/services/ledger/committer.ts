// Owns the commit of entries: one transaction for whatever waits, in the thread that writes.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { createTreeHasher } from '@countersign/core/ledger/tree';
import type { Kysely } from 'kysely';
import type { DirectRun } from '../../platform/db/sqlite-driver.ts';
import type { Sealer } from '../../platform/sealer/sealer.ts';
import { createBuilt } from '../../stores/built-statements.ts';
import { findHeadLocked, type Head } from '../../stores/heads.ts';
import type { Tables, Tx } from '../../stores/schema.ts';
import { createAppender, type Uncommitted } from './appender.ts';
import type { OrgBatch, OrgCommit } from './batch.ts';
import { commitBatches } from './commit-batch.ts';
import { sha256 } from './crypto.ts';
import { type NewLog, openLog } from './open-log.ts';
import { neverPause, type Pause } from './pause.ts';

export type CommitterDeps = {
  readonly db: Kysely<Tables>;
  /** The writer's own connection, where it is the only one. */
  readonly direct?: DirectRun | undefined;
  /** True on PostgreSQL, where the head's row must be locked by name. */
  readonly locksRows: boolean;
  readonly sealer: Sealer;
  readonly now: () => number;
  /** Hears each checkpoint after its commit is confirmed. */
  readonly onCheckpoint: (orgId: OrgId, checkpoint: string) => void;
  /** Hears of each head in the store that is not what was committed: its log takes no entry. */
  readonly onAltered: (orgId: OrgId, origin: string) => void;
  /** Writes in every transaction that moves a head. */
  readonly beside?: (tx: Tx) => Promise<void>;
};

/** A log locked inside a transaction: append to it at most once. */
export type LockedLog = {
  readonly head: Head;
  readonly append: (entries: readonly Uint8Array[], version: number) => Promise<number>;
};

type Work<T> = (tx: Tx, log: LockedLog) => Promise<T>;

export type Committer = {
  /** Commits batches of any organizations in one transaction. All or nothing; throws what the storage throws. */
  readonly commit: (batches: readonly OrgBatch[]) => Promise<readonly OrgCommit[]>;
  /** Runs `work` in a transaction that holds the log's head. The checkpoint is published after the commit. */
  readonly withLog: <T>(orgId: OrgId, work: Work<T>) => Promise<T>;
  /** Like `withLog`, over a log that the same transaction opens: makes its key, seals it, signs the empty tree. */
  readonly withNewLog: <T>(orgId: OrgId, log: NewLog, work: Work<T>) => Promise<T>;
  /** Resolves when whatever has been committed can be read in the database. */
  readonly settle: () => Promise<void>;
  /** The same in the background: slower, and beside whatever else the process does. */
  readonly follow: () => Promise<void>;
};

/** A committer over the database alone. */
export type DirectCommitter = Committer & {
  /**
   * Commits batches, of which several may be of one log, in their order and in one transaction, with what `also`
   * writes. Between two of them, and in `also`, others may have the thread, but not the database.
   */
  readonly takeIn: (
    batches: readonly OrgBatch[],
    pause: Pause,
    also: (tx: Tx) => Promise<void>,
  ) => Promise<void>;
};

/**
 * The committer of one process. INVARIANT: it alone moves heads while it lives, and refuses one that somebody else has
 * moved; on PostgreSQL the head's row lock orders its own transactions.
 */
export function createCommitter(deps: CommitterDeps): DirectCommitter {
  const { db, locksRows, sealer, now, onCheckpoint, onAltered, beside } = deps;
  const hasher = createTreeHasher(sha256);
  const built = createBuilt(deps.direct);
  const appender = createAppender({ sealer, hasher, built, onCheckpoint, onAltered });
  const batchDeps = { appender, built, locksRows, now };

  /** Runs a transaction that appends; `done` gets its append to each log. */
  async function committing<T>(work: (tx: Tx, done: Map<OrgId, Uncommitted>) => Promise<T>): Promise<T> {
    const done = new Map<OrgId, Uncommitted>();
    const value = await db.transaction().execute(async (tx) => {
      const result = await work(tx, done);
      appender.asked([...done.values()]);
      return result;
    });
    appender.confirm([...done.values()]);
    return value;
  }

  const transact = <T>(orgId: OrgId, newLog: NewLog | undefined, work: Work<T>): Promise<T> =>
    committing(async (tx, done) => {
      if (newLog !== undefined) {
        await openLog({ sealer, hasher }, tx, orgId, newLog);
        appender.forget(orgId);
      }
      const checked = appender.check(orgId, await findHeadLocked(tx, orgId, locksRows, built));
      await beside?.(tx);
      return work(tx, {
        head: checked.head,
        append: async (entries, version) => {
          if (done.size > 0) throw new AppError('internal', 'one transaction appends once');
          const bundle = encodeBundle(entries);
          const growing = await appender.begin(tx, orgId, checked);
          const grown = await appender.grow(tx, growing, { entries, bundle, version });
          done.set(orgId, await appender.sign(tx, grown));
          return checked.head.size;
        },
      });
    });

  return {
    commit(batches) {
      // Heads are locked in one order, so that two committers cannot wait for each other.
      const ordered = [...batches].sort((a, b) => (a.orgId < b.orgId ? -1 : 1));
      return committing(async (tx, done) => {
        await beside?.(tx);
        return commitBatches(batchDeps, tx, ordered, done, neverPause);
      });
    },
    withLog: (orgId, work) => transact(orgId, undefined, work),
    withNewLog: (orgId, log, work) => transact(orgId, log, work),
    settle: async () => {},
    follow: async () => {},
    takeIn: (batches, pause, also) =>
      committing(async (tx, done) => {
        await commitBatches(batchDeps, tx, batches, done, pause);
        await also(tx);
      }),
  };
}
