// Owns the typed client of the management API: input and answer are those that the contract declares.

import type { Operation, ResponseOf } from '@countersign/contract/operation';
import { AppError } from '@countersign/core/errors';
import { issueText } from '@countersign/core/issue-text';
import { parseJson } from '@countersign/core/parse-json';
import type { z } from 'zod';
import { NoAnswerError, ProblemError } from './client-errors.ts';
import { boundedBody, problemOf } from './read-answer.ts';
import { requestUrl } from './request-url.ts';

/** The part of `fetch` that is used: tests and browsers bring their own. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export type ClientOptions = {
  /** Where the server is reached, without `/api/v1`. */
  readonly baseUrl: string;
  /** A virtual key whose use is `management`. */
  readonly key: string;
  readonly fetch?: Fetch;
  /** Milliseconds for one call, from its start to the last byte of its answer. */
  readonly timeoutMs?: number;
  /** The largest answer that is taken, in bytes. */
  readonly maxAnswerBytes?: number;
};

// Inputs are what a schema takes, before its defaults: zod keeps that type in `_zod` for libraries.
type InputOf<S> = S extends { readonly _zod: { readonly input: infer I } } ? I : null;
type Part<Name extends string, T> = T extends null
  ? { readonly [N in Name]?: undefined }
  : Record<never, never> extends T
    ? { readonly [N in Name]?: T }
    : { readonly [N in Name]: T };

/** What a call of this operation takes. Parts without a required member may be left out. */
export type CallInput<O extends Operation> = Part<'params', InputOf<O['params']>> &
  Part<'query', InputOf<O['query']>> &
  Part<'body', O['body'] extends null ? null : InputOf<O['body']>> & {
    /** A repeated write with the same key is answered with the first result. */
    readonly idempotencyKey?: string;
    readonly signal?: AbortSignal;
  };

/** Leaves the input out where the operation needs none. */
type Arguments<O extends Operation> =
  Record<never, never> extends CallInput<O> ? [input?: CallInput<O>] : [input: CallInput<O>];

/** The items of an operation that answers with a page. */
export type ItemOf<O extends Operation> =
  ResponseOf<O> extends { readonly items: readonly (infer I)[] } ? I : never;

export type Client = {
  /** Calls an operation. Rejects with ProblemError, NoAnswerError, or AppError `invalid_request` before sending. */
  readonly call: <O extends Operation>(operation: O, ...input: Arguments<O>) => Promise<ResponseOf<O>>;
  /** The answer in another form that the operation produces, such as `text/csv`. */
  readonly callBytes: <O extends Operation>(
    operation: O,
    accept: string,
    ...input: Arguments<O>
  ) => Promise<Uint8Array>;
  readonly callText: <O extends Operation>(
    operation: O,
    accept: string,
    ...input: Arguments<O>
  ) => Promise<string>;
  /** Every page of a list, one after the other, from `query.cursor` on. */
  readonly pages: <O extends Operation>(
    operation: O,
    ...input: Arguments<O>
  ) => AsyncGenerator<readonly ItemOf<O>[], void>;
};

type Loose = {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
};

type Sent = { readonly url: string; readonly init: RequestInit };

function checked<T>(
  what: string,
  result:
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: IssueList },
): T {
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => ({
    path: issue.path.join('.'),
    message: issueText(issue),
  }));
  const first = fields[0];
  throw new AppError('invalid_request', `${what} \`${first?.path ?? ''}\`: ${first?.message ?? 'unfit'}`, {
    fields,
  });
}

type IssueList = { readonly issues: readonly z.core.$ZodIssue[] };

function prepare(options: ClientOptions, operation: Operation, accept: string, input: Loose): Sent {
  const params = checked('parameter', operation.params.safeParse(input.params ?? {}));
  checked('query', operation.query.safeParse(input.query ?? {}));
  if (operation.body !== null) checked('field', operation.body.safeParse(input.body));
  const query = typeof input.query === 'object' && input.query !== null ? input.query : {};
  const headers = new Headers({ accept, authorization: `Bearer ${options.key}` });
  if (operation.body !== null) headers.set('content-type', 'application/json');
  if (input.idempotencyKey !== undefined) headers.set('idempotency-key', input.idempotencyKey);
  const limit = AbortSignal.timeout(options.timeoutMs ?? 30_000);
  return {
    url: requestUrl(options.baseUrl.replace(/\/+$/, ''), operation, params, { ...query }),
    init: {
      method: operation.method,
      headers,
      // A redirect would carry the key to another host.
      redirect: 'error',
      signal: input.signal === undefined ? limit : AbortSignal.any([limit, input.signal]),
      ...(operation.body === null ? {} : { body: JSON.stringify(input.body) }),
    },
  };
}

function unanswered(options: ClientOptions, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof NoAnswerError || error instanceof ProblemError)
    return error;
  if (error.name === 'TimeoutError')
    return new NoAnswerError('timed_out', `\`${options.baseUrl}\` did not answer in time`, error);
  if (error.name === 'AbortError') return error;
  const reason =
    error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
  return new NoAnswerError(
    'unreachable',
    `\`${options.baseUrl}\` cannot be reached: ${reason}; start the server there, or name another`,
    error,
  );
}

async function send(
  options: ClientOptions,
  operation: Operation,
  accept: string,
  input: Loose,
): Promise<{ readonly bytes: Uint8Array; readonly type: string }> {
  const { url, init } = prepare(options, operation, accept, input);
  const dial = options.fetch ?? fetch;
  try {
    const response = await dial(url, init);
    const bytes = await boundedBody(response, options.maxAnswerBytes ?? 64 * 1024 * 1024);
    const type = (response.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
    if (response.ok) return { bytes, type };
    throw problemOf(response, bytes);
  } catch (error) {
    throw unanswered(options, error);
  }
}

async function callJson<O extends Operation>(
  options: ClientOptions,
  operation: O,
  input: Loose,
): Promise<ResponseOf<O>> {
  const { bytes } = await send(options, operation, 'application/json', input);
  let value: unknown;
  try {
    value = parseJson(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new NoAnswerError('unexpected_answer', `the answer to \`${operation.id}\` is not JSON`, error);
  }
  const parsed = operation.response.safeParse(value);
  // What the operation's schema gave is the operation's response: the compiler cannot see it through `O`.
  const isResponse = (data: unknown): data is ResponseOf<O> => parsed.success && data === parsed.data;
  if (isResponse(parsed.data)) return parsed.data;
  const issue = parsed.error?.issues[0];
  const where = `\`${issue?.path.join('.') ?? ''}\`: ${issue === undefined ? 'unfit' : issueText(issue)}`;
  throw new NoAnswerError(
    'unexpected_answer',
    `the answer to \`${operation.id}\` does not fit the contract at ${where}`,
  );
}

async function callOther(
  options: ClientOptions,
  operation: Operation,
  accept: string,
  input: Loose,
): Promise<Uint8Array> {
  const { bytes, type } = await send(options, operation, accept, input);
  if (type === accept) return bytes;
  throw new NoAnswerError(
    'unexpected_answer',
    `the answer to \`${operation.id}\` is \`${type}\`, not \`${accept}\``,
  );
}

function pageIn(value: unknown): { readonly items: readonly unknown[]; readonly next: string | undefined } {
  if (typeof value === 'object' && value !== null && 'items' in value && Array.isArray(value.items)) {
    const next = 'next' in value && typeof value.next === 'string' ? value.next : undefined;
    return { items: value.items, next };
  }
  throw new AppError('invalid_request', 'this operation answers with no pages, use `call`');
}

async function* pagesOf<O extends Operation>(
  options: ClientOptions,
  operation: O,
  input: Loose,
): AsyncGenerator<readonly ItemOf<O>[], void> {
  const areItems = (items: readonly unknown[]): items is readonly ItemOf<O>[] => Array.isArray(items);
  let query = typeof input.query === 'object' && input.query !== null ? input.query : {};
  for (;;) {
    // The answer was held to the operation's schema, so its items are the operation's.
    const { items, next } = pageIn(await callJson(options, operation, { ...input, query }));
    if (areItems(items)) yield items;
    if (next === undefined) return;
    query = { ...query, cursor: next };
  }
}

/**
 * A client of one server with one key. Inputs are checked before anything is sent, answers against the
 * contract. Nothing is retried: give an `idempotencyKey` and call again.
 *
 * ```ts
 * const client = createClient({ baseUrl: 'http://127.0.0.1:7070', key });
 * const team = await client.call(teamCreate, { body: { name: 'research', workspaceId } });
 * for await (const users of client.pages(userList)) for (const user of users) console.log(user.id);
 * ```
 */
export function createClient(options: ClientOptions): Client {
  return {
    call: (operation, ...[input]) => callJson(options, operation, input ?? {}),
    callBytes: (operation, accept, ...[input]) => callOther(options, operation, accept, input ?? {}),
    callText: async (operation, accept, ...[input]) =>
      new TextDecoder().decode(await callOther(options, operation, accept, input ?? {})),
    pages: (operation, ...[input]) => pagesOf(options, operation, input ?? {}),
  };
}
