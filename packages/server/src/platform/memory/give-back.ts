// Owns what a thread keeps of memory: how much its short-lived objects take, and when it gives the rest back.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Megabytes of a semi-space in threads that are started from now on. A thread's own limits (`resourceLimits`) would
 * say it, were it not that the flag with which Node is started goes before them; the main thread read that flag when
 * it began, and does not read it again.
 */
export function limitYoungSpace(megabytes: number): void {
  setFlagsFromString(`--max-semi-space-size=${megabytes}`);
}

/**
 * Collects all garbage of this thread, and returns the memory to the system. Blocks for about a millisecond a
 * megabyte. For after a large piece of work in a thread that has little to do: V8 collects when memory is asked for,
 * and where none is, 20 MB of what was read at the start stay for good.
 */
export function giveBack(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') Reflect.apply(collect, undefined, []);
}
