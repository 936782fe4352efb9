// Owns how a refusal looks on the data plane: status, headers and body in the caller's dialect.

import type { ErrorCode } from '../errors.ts';
import type { Dialect } from './endpoints.ts';

type Shape = {
  readonly status: number;
  /** OpenAI's `error.type`. */
  readonly openai: string;
  /** Anthropic's `error.type`: https://docs.anthropic.com/en/api/errors */
  readonly anthropic: string;
};

const shapes = {
  invalid_request: { status: 400, openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  authentication_failed: { status: 401, openai: 'authentication_error', anthropic: 'authentication_error' },
  credential_conflict: { status: 400, openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  permission_denied: { status: 403, openai: 'permission_error', anthropic: 'permission_error' },
  policy_denied: { status: 403, openai: 'permission_error', anthropic: 'permission_error' },
  approval_required: { status: 403, openai: 'permission_error', anthropic: 'permission_error' },
  budget_exceeded: { status: 429, openai: 'insufficient_quota', anthropic: 'billing_error' },
  rate_limited: { status: 429, openai: 'rate_limit_error', anthropic: 'rate_limit_error' },
  not_found: { status: 404, openai: 'invalid_request_error', anthropic: 'not_found_error' },
  method_not_allowed: { status: 405, openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  conflict: { status: 409, openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  already_exists: { status: 409, openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  payload_too_large: { status: 413, openai: 'invalid_request_error', anthropic: 'request_too_large' },
  unsupported_media_type: {
    status: 415,
    openai: 'invalid_request_error',
    anthropic: 'invalid_request_error',
  },
  upgrade_refused: { status: 426, openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  policy_invalid: { status: 422, openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  legal_hold: { status: 409, openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  retention_not_met: { status: 409, openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  second_person_required: { status: 403, openai: 'permission_error', anthropic: 'permission_error' },
  already_set_up: { status: 409, openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  ledger_unavailable: { status: 503, openai: 'server_error', anthropic: 'api_error' },
  storage_unavailable: { status: 503, openai: 'server_error', anthropic: 'api_error' },
  upstream_unreachable: { status: 502, openai: 'server_error', anthropic: 'api_error' },
  upstream_timeout: { status: 504, openai: 'server_error', anthropic: 'api_error' },
  upstream_invalid: { status: 502, openai: 'server_error', anthropic: 'api_error' },
  overloaded: { status: 503, openai: 'server_error', anthropic: 'overloaded_error' },
  shutting_down: { status: 503, openai: 'server_error', anthropic: 'overloaded_error' },
  internal: { status: 500, openai: 'server_error', anthropic: 'api_error' },
} as const satisfies Record<ErrorCode, Shape>;

/** Repeating these without a change of budget, rights or policy cannot succeed: SDKs are told not to. */
const isFinal: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'budget_exceeded',
  'policy_denied',
  'approval_required',
  'conflict',
  'legal_hold',
]);

export type RenderedError = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export type ErrorExtras = {
  readonly retryAfterSeconds?: number | undefined;
  /** Methods that the path takes, for `method_not_allowed` (RFC 9110 section 15.5.6). */
  readonly allow?: readonly string[] | undefined;
};

/** The status of a refusal on the data plane. */
export function statusOf(code: ErrorCode): number {
  return shapes[code].status;
}

function errorBody(dialect: Dialect, code: ErrorCode, message: string, requestId: string): string {
  const shape: Shape = shapes[code];
  if (dialect === 'anthropic') {
    // Anthropic has no field for a code: it leads the message, so that programs can tell refusals apart.
    const error = { type: shape.anthropic, message: `${code}: ${message}` };
    return JSON.stringify({ type: 'error', error, request_id: requestId });
  }
  return JSON.stringify({ error: { message, type: shape.openai, param: null, code } });
}

function challengeHeaders(code: ErrorCode, extras: ErrorExtras): Record<string, string> {
  const headers: Record<string, string> = {};
  if (isFinal.has(code)) headers['x-should-retry'] = 'false';
  if (extras.retryAfterSeconds !== undefined) {
    headers['retry-after'] = String(Math.max(0, Math.ceil(extras.retryAfterSeconds)));
  }
  if (code === 'authentication_failed') headers['www-authenticate'] = 'Bearer';
  if (code === 'method_not_allowed') headers.allow = (extras.allow ?? []).join(', ');
  if (code === 'upgrade_refused') {
    headers.upgrade = 'HTTP/1.1';
    headers.connection = 'upgrade';
  }
  return headers;
}

/**
 * A refusal as the caller's SDK expects it. OpenAI: `{"error":{message,type,param,code}}`; Anthropic:
 * `{"type":"error","error":{type,message},"request_id"}` with a `request-id` header. `requestId` is in
 * `x-request-id` for both.
 */
export function renderError(
  dialect: Dialect,
  code: ErrorCode,
  message: string,
  requestId: string,
  extras: ErrorExtras = {},
): RenderedError {
  const headers = challengeHeaders(code, extras);
  headers['content-type'] = 'application/json';
  headers['x-request-id'] = requestId;
  if (dialect === 'anthropic') headers['request-id'] = requestId;
  return { status: statusOf(code), headers, body: errorBody(dialect, code, message, requestId) };
}

/**
 * A refusal after the stream has begun, as its last event. Anthropic and Responses name the event `error`;
 * chat and completions have only data, which OpenAI's SDKs throw on when it has an `error`.
 */
export function renderStreamError(
  dialect: Dialect,
  isResponses: boolean,
  code: ErrorCode,
  message: string,
  requestId: string,
): string {
  if (dialect === 'openai' && isResponses) {
    const event = { type: 'error', code, message, param: null, sequence_number: 0 };
    return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
  }
  const data = errorBody(dialect, code, message, requestId);
  return dialect === 'anthropic' ? `event: error\ndata: ${data}\n\n` : `data: ${data}\n\n`;
}
