// Owns lines that there may be one of for each request: so many a second, and how many were left out.

import { AppError } from '@countersign/core/errors';
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

/** The ends of calls while nothing can be stored: each is the same failure again. */
const ofStorage: ReadonlySet<string> = new Set(['ledger_unavailable', 'storage_unavailable']);

/**
 * A log of errors that ended requests. Of those that the store's state gives to every request alike one a second is
 * written; any other always.
 */
export function limitFailures(
  log: Log,
  clock: () => number,
): (error: unknown, requestId: string | undefined, message: string) => void {
  let writtenAt = Number.NEGATIVE_INFINITY;
  let leftOut = 0;
  return (error, requestId, message) => {
    if (!(error instanceof AppError && ofStorage.has(error.code))) {
      log.error({ error, requestId }, message);
      return;
    }
    if (clock() - writtenAt < 1_000) {
      leftOut += 1;
      return;
    }
    writtenAt = clock();
    log.error({ error, requestId, ...(leftOut === 0 ? {} : { leftOut }) }, message);
    leftOut = 0;
  };
}
