// Owns the closed list of refusals: every way in which a request can end that is not a success.

/** Every code that a caller may see. Protocols map them to status codes and wire shapes; nothing else does. */
export const errorCodes = [
  'invalid_request',
  'authentication_failed',
  'credential_conflict',
  'permission_denied',
  'policy_denied',
  'approval_required',
  'budget_exceeded',
  'rate_limited',
  'not_found',
  'method_not_allowed',
  'conflict',
  'already_exists',
  'payload_too_large',
  'unsupported_media_type',
  'upgrade_refused',
  'policy_invalid',
  'legal_hold',
  'retention_not_met',
  'second_person_required',
  'already_set_up',
  'ledger_unavailable',
  'storage_unavailable',
  'upstream_unreachable',
  'upstream_timeout',
  'upstream_invalid',
  'overloaded',
  'shutting_down',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** One offending field: a dotted path into the input and a sentence saying what to do. */
export type FieldError = { readonly path: string; readonly message: string };

export type ErrorDetails = {
  readonly fields?: readonly FieldError[];
  /** Seconds after which the same request may succeed. */
  readonly retryAfterSeconds?: number;
  /** Machine-readable name of what refused: a budget, a limit, a rule. */
  readonly subject?: string;
  readonly cause?: unknown;
};

/**
 * Ends the request with a refusal from the closed list. The message is shown to the caller: lower case,
 * no full stop, user input in `backticks`, says what to do next, never a secret.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'AppError';
    this.code = code;
    this.details = details;
  }
}

/** Makes the compiler prove that a union was switched on to its end; throws if a value slips past it. */
export function assertNever(value: never): never {
  throw new AppError('internal', `unhandled variant ${typeof value}`);
}
