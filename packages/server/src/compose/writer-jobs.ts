// Owns what the writing thread does by itself: the projection, pushed checkpoints, their copies, re-wrapping, checks.

import type { EntryId, OrgId } from '@countersign/core/ids';
import type { Kysely } from 'kysely';
import { createCheckpointJob } from '../jobs/record-checkpoints.ts';
import { rewrapSecrets } from '../jobs/rewrap-secrets.ts';
import type { Sealer } from '../platform/sealer/sealer.ts';
import type { Committer } from '../services/ledger/committer.ts';
import type { Projector } from '../services/ledger/projector.ts';
import { removeOldReplays } from '../stores/bookkeeping.ts';
import type { Tables } from '../stores/schema.ts';
import type { CheckpointFile } from './checkpoint-file.ts';
import { type LogsChecked, startLogChecks } from './log-checks.ts';

export type WriterJobsDeps = {
  readonly db: Kysely<Tables>;
  readonly committer: Committer;
  readonly projector: Projector;
  readonly sealer: Sealer;
  readonly checkpoints: CheckpointFile;
  readonly installationId: OrgId;
  readonly installationOrigin: string;
  readonly grown: {
    /** True if any log has grown since the last call. */
    readonly takeMoved: () => boolean;
    /** Organizations that have logged since the last call. */
    readonly take: () => readonly string[];
  };
  readonly logCheckMs: number;
  readonly onLogsChecked: (checked: LogsChecked) => void;
  /** More than one master key is configured: a rotation is under way. */
  readonly isRotating: boolean;
  /** Takes what was destroyed out of the files beside the database; tells by itself if it could not yet. */
  readonly empty: (doing: string) => Promise<void>;
  readonly newEntryId: () => EntryId;
  readonly now: () => number;
  readonly node: string;
  readonly boot: string;
  readonly onError: (error: unknown, doing: string) => void;
};

export type WriterJobs = {
  /** Ends the jobs: what is due is done first. */
  readonly stop: () => Promise<void>;
};

/**
 * How often the database follows the journal, and the records the log, in milliseconds. Seldom enough that a
 * transaction is worth its cost; a command waits for what has come since.
 */
const projectMs = 200;
/** How often checkpoints are pushed, in milliseconds. */
const pushMs = 500;
/** How often the organizations' checkpoints are copied into the installation's log, in milliseconds. */
const copyMs = 60_000;

/** For how long a repeated write is answered as before, and how often the older ones are forgotten. In milliseconds. */
const replayMs = 24 * 60 * 60 * 1_000;
const forgetMs = 60 * 60 * 1_000;

/** How often the failures of one job are told of at most, in milliseconds. */
const tellMs = 1_000;

/** How long a job rests in its own times: a disk that is slow for it is slow for the commits beside it. */
const restShare = 3;
const mostRestMs = 5_000;

/**
 * Runs `work`, which never rejects, every `everyMs`, never twice at a time, and seldom when it takes long. Returns how
 * to end that: it resolves when nothing runs any more.
 */
function repeat(everyMs: number, work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let restsUntil = 0;
  const timer = setInterval(() => {
    const began = performance.now();
    if (running !== undefined || began < restsUntil) return;
    running = work().finally(() => {
      const ended = performance.now();
      restsUntil = ended + Math.min(restShare * (ended - began), mostRestMs) - everyMs;
      running = undefined;
    });
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await running;
  };
}

/** Starts the jobs. */
export function startWriterJobs(deps: WriterJobsDeps): WriterJobs {
  const { db, committer, projector, checkpoints, now, onError } = deps;
  const copies = createCheckpointJob(deps);
  /** The work of this name, whose errors are told and end nothing. */
  const job = (doing: string, work: () => Promise<unknown>) => {
    let toldAt = Number.NEGATIVE_INFINITY;
    return async (): Promise<void> => {
      try {
        await work();
      } catch (error) {
        // While the disk is full each try fails alike.
        if (performance.now() - toldAt < tellMs) return;
        toldAt = performance.now();
        onError(error, doing);
      }
    };
  };
  // What a former run left behind comes first.
  let hasMore = true;
  const project = job('projection', async () => {
    await committer.follow();
    if (!deps.grown.takeMoved() && !hasMore) return;
    hasMore = true;
    await projector.drainAll();
    hasMore = false;
  });
  const push = job('pushed checkpoints', async () => checkpoints.flush());
  const copy = job('copies of checkpoints', () => copies.run(deps.grown.take()));
  const forget = job('forgetting of repeated writes', () =>
    db.transaction().execute((tx) => removeOldReplays(tx, now() - replayMs)),
  );
  const stops = [
    repeat(projectMs, project),
    repeat(pushMs, push),
    repeat(copyMs, copy),
    repeat(forgetMs, forget),
  ];
  const rotate = job('rotation of the master key', async () => {
    // What the older key wraps can be opened by it wherever it stands.
    if ((await rewrapSecrets(db, deps.sealer)) > 0) await deps.empty('the rotation of the master key');
  });
  if (deps.isRotating) void rotate();
  const checks = startLogChecks(deps);
  return {
    async stop() {
      await checks.stop();
      const ended = Promise.all(stops.map((stop) => stop()));
      // What they wait for is hurried.
      await job('the journal', committer.settle)();
      await ended;
      await copy();
      await push();
      hasMore = true;
      await project();
    },
  };
}
