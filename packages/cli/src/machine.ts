// Owns what the command line touches of the machine: streams, files, environment. Tests hand over their own.

import { AppError } from '@countersign/core/errors';

/** Standard error, where it is a terminal. */
export type Terminal = {
  readonly write: (text: string) => void;
  /** How many characters a line has. */
  readonly columns: () => number;
  /** Milliseconds that only grow. */
  readonly now: () => number;
};

export type Machine = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  /** Waits until the reader of `out` has taken enough that more may follow; absent where nothing piles up. */
  readonly drained?: () => Promise<void>;
  readonly err: (text: string) => void;
  /** Standard error, where it is a terminal that somebody looks at; absent where it is not. */
  readonly terminal?: Terminal | undefined;
  /** The bytes of a file, or of standard input for `-`. Throws what the file system throws. */
  readonly readBytes: (path: string) => Uint8Array;
  readonly writeBytes: (path: string, bytes: Uint8Array) => void;
};

/** 0 done, 1 refused or failed, 2 wrong usage. */
export type ExitCode = 0 | 1 | 2;

/** The command was written wrongly: nothing was done. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** It was tried and did not succeed, in a sentence for people. */
export class FailedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FailedError';
  }
}

/** Does what is no longer about how the command was written: what is refused in it is told as a failure. */
export async function tried<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid_request') throw new FailedError(error.message);
    throw error;
  }
}
