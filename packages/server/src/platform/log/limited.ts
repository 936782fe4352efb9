// Owns lines that whoever is outside can cause: so many a second, and how many were left out.

import type { Log } from './log.ts';
import { requestLog } from './log.ts';

/** Lines a second, and for each how many before it were not written. */
const linesPerSecond = 20;

export type RefusalLog = (requestId: string, fields: object, message: string) => void;

/** A log of refused requests by their ids, at level `info`. A flood of them fills no disk. `clock` is monotonic, in ms. */
export function limitRefusals(log: Log, clock: () => number): RefusalLog {
  let second = -1;
  let written = 0;
  let leftOut = 0;
  return (requestId, fields, message) => {
    if (!log.isOn('info')) return;
    const now = Math.floor(clock() / 1_000);
    if (now !== second) {
      second = now;
      written = 0;
    }
    if (written >= linesPerSecond) {
      leftOut += 1;
      return;
    }
    written += 1;
    requestLog(log, requestId).info(leftOut === 0 ? fields : { ...fields, leftOut }, message);
    leftOut = 0;
  };
}
