// Owns how V8's own threads, which collect garbage, share the processors with the threads that serve.

import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, setPriority } from 'node:os';
import { setFlagsFromString } from 'node:v8';

/** A tenth of what a thread of usual priority gets, where both want one processor. */
const niceness = 10;

const tasks = '/proc/self/task';

/** True for the thread of this process with this id, if it still runs. */
function isCollector(id: string): boolean {
  try {
    return readFileSync(`${tasks}/${id}/comm`, 'utf8').trim() === 'V8Worker';
  } catch {
    return false;
  }
}

/** Ids of the threads on which V8 marks, sweeps and compiles; none where the system has no such list. */
export function collectorThreads(): readonly number[] {
  try {
    return readdirSync(tasks).filter(isCollector).map(Number);
  } catch {
    return [];
  }
}

/**
 * Lets the threads that serve go before those that collect, which are four: while the old space is marked, for 60 to 90
 * ms, they would take four fifths of a processor that is one. And where there is one, helpers that collect the young
 * space only take turns with the thread that waits for them. Call it once, in the main thread, before others are started.
 */
export function yieldToServing(processors: number = availableParallelism()): void {
  for (const id of collectorThreads()) {
    try {
      setPriority(id, niceness);
    } catch {
      // It has ended, or the system does not let it: then it collects as it would have.
    }
  }
  // `--single-threaded-gc` itself does nothing by now: what follows from it was derived when V8 started.
  if (processors === 1) setFlagsFromString('--no-parallel-scavenge');
}
