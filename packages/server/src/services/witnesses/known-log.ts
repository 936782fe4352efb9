// Owns what is known of one log at one witness: how far it is cosigned, since when it waits, and when to ask again.

import type { AskResult } from './ask-witness.ts';

export type KnownLog = {
  /** How many entries the log has. */
  size: number;
  cosigned: number;
  /** Since when it has had entries that are not cosigned, in milliseconds of a monotonic clock. */
  since: number | undefined;
  /** It is not asked about before. */
  restsUntil: number;
  /** How it ended last, so that the same is told once. */
  last: AskResult['kind'] | 'fault' | undefined;
  /** Endings in a row that were no cosignature. */
  failures: number;
  isConflict: boolean;
};

/** A log of which nothing is known yet. */
export function newLog(): KnownLog {
  return {
    size: 0,
    cosigned: 0,
    since: undefined,
    restsUntil: Number.NEGATIVE_INFINITY,
    last: undefined,
    failures: 0,
    isConflict: false,
  };
}

/** The log has this size now. */
export function seeSize(log: KnownLog, size: number, now: number): void {
  log.size = size;
  if (size === log.cosigned) log.since = undefined;
  else log.since ??= now;
}

/** The witness has cosigned it at this size. */
export function seeCosigned(log: KnownLog, size: number, now: number): void {
  log.cosigned = size;
  log.since = log.size > size ? now : undefined;
  log.last = 'cosigned';
  log.failures = 0;
  log.isConflict = false;
}

export type LaneState = {
  /** Entries of all logs that the witness has not cosigned yet. */
  readonly behind: number;
  /** For how long the one that waits longest has waited, in milliseconds. */
  readonly waitingMs: number;
  /** Logs of which the witness has cosigned another tree, or a larger one. */
  readonly conflicts: number;
};

/** All of a witness's logs in three numbers. */
export function stateOf(logs: readonly KnownLog[], now: number): LaneState {
  return {
    behind: logs.reduce((sum, { size, cosigned }) => sum + Math.max(0, size - cosigned), 0),
    waitingMs: Math.max(0, ...logs.map(({ since }) => (since === undefined ? 0 : now - since))),
    conflicts: logs.filter((log) => log.isConflict).length,
  };
}
