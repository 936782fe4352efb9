// Owns the thread in which one policy is checked: it takes its task, answers once and ends.

import { parentPort, workerData } from 'node:worker_threads';
import { checkPolicy } from './check-policy.ts';
import { type PolicyCheckResult, type PolicyCheckTask, policyCheckTask } from './publish-types.ts';

/** A stack that overflows, and a trap of WebAssembly. */
const exhaustion: ReadonlySet<string> = new Set(['RangeError', 'RuntimeError']);

/** Cedar's parser recurses: a text that exhausts its stack or its memory is the author's fault, not ours. */
function checkBounded(task: PolicyCheckTask): PolicyCheckResult {
  try {
    return checkPolicy(task);
  } catch (error) {
    if (!(error instanceof Error) || !exhaustion.has(error.name)) throw error;
    const message = 'the policy nests too deeply, or is too large, to be checked';
    return { ok: false, problems: [{ line: 1, column: 1, message, help: 'split the rule into several' }] };
  }
}

parentPort?.postMessage(checkBounded(policyCheckTask.parse(workerData)));
