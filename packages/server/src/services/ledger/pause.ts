// Owns how long work in the background keeps the thread that commits.

import { setTimeout as sleep } from 'node:timers/promises';

/** Lets others have the thread for a moment, if it is time for it. */
export type Pause = () => Promise<void> | undefined;

/** Milliseconds that work keeps the thread, and that it rests when nobody waits for it: calls have the processor then. */
const stretchMs = 1;
const restMs = 3;

/** Resolves when whatever has arrived meanwhile was heard. */
export const afterTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** For work that is done in one stretch. */
export const neverPause: Pause = () => undefined;

/** Pauses for work that begins now. While `isAwaited` says so, it does not rest. */
export function createPause(isAwaited: () => boolean): Pause {
  let since = performance.now();
  return () => {
    if (performance.now() - since < stretchMs) return undefined;
    return (isAwaited() ? afterTurn() : sleep(restMs)).then(() => {
      since = performance.now();
    });
  };
}
