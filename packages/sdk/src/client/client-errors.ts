// Owns how a call of the management API fails: refused with a problem, or no usable answer.

import type { ErrorCode, FieldError } from '@countersign/core/errors';

/** The server refused: an RFC 9457 problem. */
export class ProblemError extends Error {
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly fields: readonly FieldError[];
  readonly requestId: string;
  /** Seconds after which the same call may succeed, if the server said so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: {
    readonly status: number;
    readonly code: ErrorCode;
    readonly detail: string;
    readonly fields?: readonly FieldError[] | undefined;
    readonly requestId: string;
    readonly retryAfterSeconds?: number | undefined;
  }) {
    super(problem.detail);
    this.name = 'ProblemError';
    this.status = problem.status;
    this.code = problem.code;
    this.detail = problem.detail;
    this.fields = problem.fields ?? [];
    this.requestId = problem.requestId;
    this.retryAfterSeconds = problem.retryAfterSeconds;
  }
}

/**
 * No answer that can be used. `unreachable`: nothing was received, so a write may or may not have happened;
 * `timed_out`: the same after the time-out; `unexpected_answer`: what came is not what the contract says.
 */
export class NoAnswerError extends Error {
  readonly kind: 'unreachable' | 'timed_out' | 'unexpected_answer';

  constructor(kind: NoAnswerError['kind'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'NoAnswerError';
    this.kind = kind;
  }
}
