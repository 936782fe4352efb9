// Owns the replay of an export in a thread with a stack that is larger than any on which a policy was accepted.

import { Worker } from 'node:worker_threads';
import type { Progress, Step } from '../ledger/progress.ts';
import type { ExportReplay, ReplayOptions } from './replay-directory.ts';

/** Four times the stack on which a server checks a policy before it publishes it. */
const stackSizeMb = 16;

/** What the thread is started with. */
export type ReplayTask = {
  readonly directory: string;
  readonly options: ReplayOptions;
  /** True where somebody wants to know how far it is. */
  readonly isTold: boolean;
};

/** What the thread says: how far it is, and at the end its answer. */
export type ReplayMessage =
  | { readonly kind: 'progress'; readonly step: Step; readonly done: number; readonly total: number }
  | ExportReplay;

/**
 * Replays an export. The tree is verified first, so that what is replayed is what was signed. Rejects only when the
 * directory cannot be read, or the thread ends without an answer.
 */
export function replayExport(
  directory: string,
  options: ReplayOptions = {},
  progress?: Progress,
): Promise<ExportReplay> {
  const workerData: ReplayTask = { directory, options, isTold: progress !== undefined };
  const { promise, resolve, reject } = Promise.withResolvers<ExportReplay>();
  const worker = new Worker(new URL('./replay-worker.ts', import.meta.url), {
    workerData,
    execArgv: [],
    resourceLimits: { stackSizeMb },
  });
  worker.on('message', (message: ReplayMessage) => {
    if (message.kind === 'progress') progress?.(message.step, message.done, message.total);
    else resolve(message);
  });
  worker.on('error', reject);
  worker.on('exit', () => reject(new Error('the replay ended without a result')));
  return promise;
}
