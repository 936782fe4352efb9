// Owns starting the writer and the reader, and what the main thread holds of them.

import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { AppError, errorCodes } from '@countersign/core/errors';
import { isObject } from '@countersign/core/json';
import { createOnDemand } from '../platform/db/on-demand.ts';
import { connectThread, shuttingDown, type ThreadClient } from '../platform/db/thread-client.ts';
import { joinJournal } from '../platform/journal/journal.ts';
import { limitYoungSpace } from '../platform/memory/give-back.ts';
import type { OrgBatch } from '../services/ledger/batch.ts';
import { createJournalCommit, type JournalCommit } from '../services/ledger/journal-commit.ts';
import type { RecorderDeps } from '../services/ledger/recorder.ts';
import type { Step } from '../services/snapshot/snapshots.ts';
import type { LogFinding } from './log-alert.ts';
import type { LogsChecked } from './log-checks.ts';
import { type FaultNotices, type OnFault, toFault } from './thread-faults.ts';
import type {
  GrownLog,
  InstallationState,
  ReaderCalls,
  ThreadData,
  WriterCalls,
  WriterHears,
  WriterNotices,
} from './threads.ts';

type Nothing = Record<never, never>;

type Writer = ThreadClient<WriterCalls, WriterHears>;

export type Threads = {
  readonly writer: Writer;
  /** Makes entries durable: in the journal, which is this thread's to append to, or in PostgreSQL. */
  readonly commit: RecorderDeps['commit'];
  readonly reader: ThreadClient<ReaderCalls, Nothing>;
  readonly installation: InstallationState;
  readonly orphansClosed: number;
  /** The reader first, so that nothing reads while the writer closes the store. */
  readonly close: (limitMs: number) => Promise<void>;
};

/** What the owner of the threads is told. */
export type Hearing = {
  /** Every version that the writer commits. */
  readonly onStep: (step: Step) => void;
  /** Whether the database could take in what the journal holds, when that has changed. */
  readonly onFollowing?: (isFollowing: boolean) => void;
  /** The newest checkpoint of each log that has grown; absent: nobody wants them. Called until `close` has resolved. */
  readonly onCheckpoints?: (grown: readonly GrownLog[]) => void;
  /** What a check of the logs has found. */
  readonly onLogsChecked?: (checked: LogsChecked) => void;
  /** Which logs take no entry, because their head in the store is not what was committed: all of them, at each change. */
  readonly onAlteredHeads?: (found: readonly LogFinding[]) => void;
  /** An unknown error of a thread, or of what it says. */
  readonly onFault: OnFault;
  /** A thread has ended by itself, after which nothing can be recorded. */
  readonly onDeath: (reason: AppError) => void;
};

/**
 * A semi-space of the threads, in megabytes: they make little that lives long, and less of it at a time. With 1 instead
 * of 2 the process keeps 8 MB less under load, for no more processor time a call (five starts of each); with 4 and 8 a
 * call took 3 and 9 % more.
 */
const youngMegabytes = 1;

/** The reader of an embedded store ends when it was asked nothing for so long, in milliseconds. */
const readerRests = { idleMs: 30_000, closeMs: 5_000 };

function start(file: string, data: ThreadData): Worker {
  limitYoungSpace(youngMegabytes);
  const compileCache = process.env.NODE_COMPILE_CACHE;
  return new Worker(new URL(`../${file}`, import.meta.url), {
    workerData: data,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    // The threads take what they need from their data: no secret of the environment reaches them.
    env: compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache },
  });
}

/** Why a thread did not start, in its own words, which its end has carried here without its class. */
function startFailure(error: unknown): unknown {
  const cause = error instanceof AppError ? error.details.cause : undefined;
  if (!isObject(cause) || typeof cause.message !== 'string') return error;
  const code = errorCodes.find((known) => known === cause.code);
  return code === undefined ? error : new AppError(code, cause.message);
}

/** The memory that a batch hands over to the writer: moved, not copied. */
function buffersOf(batches: readonly OrgBatch[]): ArrayBuffer[] {
  return batches.flatMap(({ bundle }) => (bundle.buffer instanceof ArrayBuffer ? [bundle.buffer] : []));
}

/** How entries become durable, and how that ends. */
type Commits = {
  readonly commit: RecorderDeps['commit'];
  readonly close: (limitMs: number) => Promise<void>;
};

/** Opens the journal to append to it, if there is one. `attach` hears who appends. */
async function openCommits(writer: Writer, attach: (commits: JournalCommit) => void): Promise<Commits> {
  const commit: RecorderDeps['commit'] = (batches) => writer.call('commit', batches, buffersOf(batches));
  const seat = await writer.call('journal', null);
  if (seat === undefined) return { commit, close: async () => {} };
  const journal = joinJournal(seat);
  const commits = createJournalCommit({
    journal,
    follower: {
      commit: (batches) => writer.call('commit', batches),
      settle: () => writer.call('settle', null),
      standings: (orgIds) => writer.call('standings', orgIds),
    },
  });
  attach(commits);
  await writer.call('appends', null);
  return {
    commit: commits.commit,
    async close(limitMs) {
      const hasEnded = commits.end(shuttingDown()).then(() => true);
      const isIdle = await Promise.race([hasEnded, sleep(limitMs, false, { ref: false })]);
      // INVARIANT: said before the thread is asked to close, which then needs no answer of this one.
      if (isIdle) writer.notify('left', null);
      if (isIdle) journal.close();
    },
  };
}

async function open(writer: Writer, attach: (commits: JournalCommit) => void) {
  try {
    const installation = await writer.call('open', null);
    const commits = await openCommits(writer, attach);
    return { installation, commits, orphansClosed: await writer.call('closeOrphans', null) };
  } catch (error) {
    throw startFailure(error);
  }
}

/** Starts both threads and closes what former runs left open. Rejects with the writer's own refusal if it cannot start. */
export async function startThreads(data: ThreadData, hear: Hearing): Promise<Threads> {
  let isStarted = false;
  let journal: JournalCommit | undefined;
  const writer = connectThread<WriterCalls, WriterHears, WriterNotices>(start('writer.ts', data), {
    name: 'writer',
    maxOutstanding: 10_000,
    timeoutMs: 30_000,
    onNotice: {
      step: hear.onStep,
      fault: (fault) => hear.onFault('writer', fault),
      hold: () => void journal?.hold().then(() => writer.notify('held', null)),
      resume: (moved) => journal?.resume(moved),
      follows: (isFollowing) => {
        journal?.follows(isFollowing);
        hear.onFollowing?.(isFollowing);
      },
      checkpoints: (grown) => hear.onCheckpoints?.(grown),
      logsChecked: (checked) => hear.onLogsChecked?.(checked),
      alteredHeads: (found) => hear.onAlteredHeads?.(found),
    },
    onError: (error, doing) => hear.onFault('writer', toFault(error, doing)),
    // What ends it before it has begun is told by the calls below.
    onDeath: (reason) => {
      void journal?.end(reason);
      if (isStarted) hear.onDeath(reason);
    },
  });
  const { installation, commits, orphansClosed } = await open(writer, (opened) => {
    journal = opened;
  });
  isStarted = true;
  const startReader = (): Threads['reader'] =>
    connectThread<ReaderCalls, Nothing, FaultNotices>(start('reader.ts', data), {
      name: 'reader',
      maxOutstanding: 1_000,
      timeoutMs: 60_000,
      onNotice: { fault: (fault) => hear.onFault('reader', fault) },
      onError: (error, doing) => hear.onFault('reader', toFault(error, doing)),
      onDeath: hear.onDeath,
    });
  // On PostgreSQL it holds connections, whose start would be waited for.
  const reader = data.storage.kind === 'sqlite' ? createOnDemand(startReader, readerRests) : startReader();
  return {
    writer,
    commit: commits.commit,
    reader,
    installation,
    orphansClosed,
    close: async (limitMs) => {
      await reader.close(limitMs);
      await commits.close(limitMs);
      await writer.close(limitMs);
    },
  };
}
