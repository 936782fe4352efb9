// Owns the thread in which an export is replayed: it takes its task, says how far it is if it is to, answers once and ends.

import { parentPort, workerData } from 'node:worker_threads';
import type { Progress } from '../ledger/progress.ts';
import { replayDirectory } from './replay-directory.ts';
import type { ReplayMessage, ReplayTask } from './replay-export.ts';

/** True for what a thread of ours was started with. INVARIANT: only replay-export.ts starts it. */
function isTask(value: unknown): value is ReplayTask {
  return typeof value === 'object' && value !== null && 'directory' in value && 'options' in value;
}

if (!isTask(workerData)) throw new TypeError('the replay was started without a task');
const { directory, options, isTold } = workerData;
const say = (message: ReplayMessage): void => parentPort?.postMessage(message);
const progress: Progress = (step, done, total) => say({ kind: 'progress', step, done, total });
say(await replayDirectory(directory, options, isTold ? progress : undefined));
