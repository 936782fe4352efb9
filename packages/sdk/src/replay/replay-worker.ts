// Owns the thread in which an export is replayed: it takes its task, answers once and ends.

import { parentPort, workerData } from 'node:worker_threads';
import { replayDirectory } from './replay-directory.ts';
import type { ReplayTask } from './replay-export.ts';

/** True for what a thread of ours was started with. INVARIANT: only replay-export.ts starts it. */
function isTask(value: unknown): value is ReplayTask {
  return typeof value === 'object' && value !== null && 'directory' in value && 'options' in value;
}

if (!isTask(workerData)) throw new TypeError('the replay was started without a task');
parentPort?.postMessage(await replayDirectory(workerData.directory, workerData.options));
