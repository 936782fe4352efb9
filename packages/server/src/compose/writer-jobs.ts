// Owns what the writing thread does by itself: the projection, pushed checkpoints, their copies, re-wrapping.

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

export type WriterJobsDeps = {
  readonly db: Kysely<Tables>;
  readonly committer: Committer;
  readonly projector: Projector;
  readonly sealer: Sealer;
  readonly checkpoints: CheckpointFile;
  readonly installationId: OrgId;
  readonly installationOrigin: string;
  /** True if any log has grown since the last call. */
  readonly takeMoved: () => boolean;
  /** Organizations that have logged since the last call. */
  readonly takeGrown: () => readonly string[];
  /** More than one master key is configured: a rotation is under way. */
  readonly isRotating: boolean;
  readonly newEntryId: () => EntryId;
  readonly now: () => number;
  readonly node: string;
  readonly boot: string;
  readonly onError: (error: unknown) => void;
};

export type WriterJobs = {
  /** Ends the jobs: what is due is done first. */
  readonly stop: () => Promise<void>;
};

/**
 * How often the projection follows the log, in milliseconds. Often, so that it has little to do at a time: whatever
 * shares a processor with this thread waits meanwhile.
 */
const projectMs = 100;
/** How often checkpoints are pushed, in milliseconds. */
const pushMs = 500;
/** How often the organizations' checkpoints are copied into the installation's log, in milliseconds. */
const copyMs = 60_000;

/** For how long a repeated write is answered as before, and how often the older ones are forgotten. In milliseconds. */
const replayMs = 24 * 60 * 60 * 1_000;
const forgetMs = 60 * 60 * 1_000;

/** Runs `work` every `everyMs`, never twice at a time. */
function repeat(everyMs: number, work: () => Promise<void>, onError: (error: unknown) => void): () => void {
  let isRunning = false;
  const timer = setInterval(() => {
    if (isRunning) return;
    isRunning = true;
    work()
      .catch(onError)
      .finally(() => {
        isRunning = false;
      });
  }, everyMs);
  return () => clearInterval(timer);
}

/** Starts the jobs. */
export function startWriterJobs(deps: WriterJobsDeps): WriterJobs {
  const { db, projector, checkpoints, now, onError } = deps;
  const copies = createCheckpointJob(deps);
  // What a former run left behind comes first.
  let hasMore = true;
  const project = async (): Promise<void> => {
    if (!deps.takeMoved() && !hasMore) return;
    hasMore = true;
    await projector.drainAll();
    hasMore = false;
  };
  const push = async (): Promise<void> => checkpoints.flush();
  const copy = (): Promise<void> => copies.run(deps.takeGrown());
  const forget = (): Promise<void> =>
    db.transaction().execute((tx) => removeOldReplays(tx, now() - replayMs));
  const stops = [
    repeat(projectMs, project, onError),
    repeat(pushMs, push, onError),
    repeat(copyMs, copy, onError),
    repeat(forgetMs, forget, onError),
  ];
  if (deps.isRotating) rewrapSecrets(db, deps.sealer).catch(onError);
  return {
    async stop() {
      for (const stop of stops) stop();
      await copy().catch(onError);
      checkpoints.flush();
      await projector.drainAll().catch(onError);
    },
  };
}
