// Owns the thread in which one policy is checked: it takes its task, answers once and ends.

import { parentPort, workerData } from 'node:worker_threads';
import { checkPolicy } from './check-policy.ts';
import { policyCheckTask } from './publish-types.ts';

parentPort?.postMessage(checkPolicy(policyCheckTask.parse(workerData)));
