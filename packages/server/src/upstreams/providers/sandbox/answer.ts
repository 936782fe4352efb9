// Owns the shape of the sandbox's answers before they are sent: a status and JSON, or a list of events.

import type { Dialect } from '@countersign/core/dialects/endpoints';
import type { JsonObject } from '@countersign/core/json';
import { parseJson } from '@countersign/core/parse-json';
import { z } from 'zod';

export type SandboxAnswer = {
  readonly status: number;
  readonly headers: readonly string[];
  /** What is sent, piece by piece: one JSON text, or one event each. */
  readonly pieces: readonly string[];
  /** The wait before each piece. */
  readonly intervalMs: number;
};

/** Between the events of a model whose name ends in `-slow`: time to watch a stream, and to cut it. */
const slowMilliseconds = 20;

/** What the answer is made of besides the body: unique to the call. */
export type SandboxCall = {
  readonly path: string;
  readonly body: Uint8Array;
  /** Seconds since 1970. */
  readonly created: number;
  /** 32 hexadecimal digits, part of every id in the answer. */
  readonly nonce: string;
};

/** Anthropic's SDK reads `request-id`, OpenAI's `x-request-id`. */
function headersOf(dialect: Dialect, call: SandboxCall, type: string): readonly string[] {
  const idHeader = dialect === 'anthropic' ? 'request-id' : 'x-request-id';
  return ['content-type', type, idHeader, `req_${call.nonce}`];
}

export function jsonAnswer(
  dialect: Dialect,
  call: SandboxCall,
  body: JsonObject,
  status = 200,
): SandboxAnswer {
  return {
    status,
    headers: headersOf(dialect, call, 'application/json'),
    pieces: [JSON.stringify(body)],
    intervalMs: 0,
  };
}

export function streamAnswer(
  dialect: Dialect,
  call: SandboxCall,
  model: string,
  events: readonly string[],
): SandboxAnswer {
  return {
    status: 200,
    headers: headersOf(dialect, call, 'text/event-stream; charset=utf-8'),
    pieces: events,
    intervalMs: model.endsWith('-slow') ? slowMilliseconds : 0,
  };
}

/** An event without a name, as chat and completions have them. */
export function dataEvent(data: JsonObject): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** An event named by its own `type`, as responses and messages have them. */
export function typedEvent(data: JsonObject & { readonly type: string }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A refusal as the vendor of the dialect words it. */
export function errorAnswer(
  dialect: Dialect,
  call: SandboxCall,
  status: 400 | 404,
  message: string,
  param: string | null = null,
): SandboxAnswer {
  if (dialect === 'anthropic') {
    const type = status === 404 ? 'not_found_error' : 'invalid_request_error';
    const body = { type: 'error', error: { type, message }, request_id: `req_${call.nonce}` };
    return jsonAnswer(dialect, call, body, status);
  }
  const code = status === 404 ? 'not_found' : null;
  return jsonAnswer(
    dialect,
    call,
    { error: { message, type: 'invalid_request_error', param, code } },
    status,
  );
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly answer: SandboxAnswer };

function readJson(bytes: Uint8Array): unknown {
  try {
    const value: unknown = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return value;
  } catch {
    return undefined;
  }
}

/** Reads a body by its schema; what does not fit is a refusal that names the first offending field. */
export function parseBody<T>(schema: z.ZodType<T>, dialect: Dialect, call: SandboxCall): Parsed<T> {
  const json = readJson(call.body);
  if (json === undefined) {
    return { ok: false, answer: errorAnswer(dialect, call, 400, 'the body is not JSON') };
  }
  const result = schema.safeParse(json);
  if (result.success) return { ok: true, value: result.data };
  const issue = result.error.issues[0];
  const param = issue === undefined || issue.path.length === 0 ? null : issue.path.join('.');
  const message = `${param ?? 'body'}: ${issue?.message ?? 'not understood'}`;
  return { ok: false, answer: errorAnswer(dialect, call, 400, message, param) };
}

const content = z.union([
  z.string(),
  z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
  z.null(),
]);

/** A message or an input item of any dialect, as far as the sandbox reads it. */
export const turn = z.looseObject({ role: z.string().optional(), content: content.optional() });
export type Turn = z.infer<typeof turn>;

/** The text of the last turn of a user, its parts joined by spaces; empty when there is none. */
export function lastUserText(turns: readonly Turn[]): string {
  const last = turns.findLast(({ role }) => role === 'user')?.content;
  if (typeof last === 'string') return last;
  return (last ?? []).flatMap(({ text }) => (text === undefined ? [] : [text])).join(' ');
}

/** A count of tokens, as limits give it. */
export const tokenLimit = z.number().int().min(1).nullish();

/**
 * Something that only a model can do. The sandbox refuses it instead of answering what the caller cannot use.
 * `value` is what the request asks for, `plain` what the sandbox can give.
 */
export function needsModel(what: string, value: unknown, plain: readonly string[]): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && plain.includes(value)) return undefined;
  const named = z.looseObject({ type: z.string() }).safeParse(value);
  if (named.success && plain.includes(named.data.type)) return undefined;
  return `the sandbox runs no model and cannot follow \`${what}\`: leave it out, or use another provider`;
}
