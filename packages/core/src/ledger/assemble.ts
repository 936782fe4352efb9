// Owns the fast way to the bytes of the two hot entries: the same text as canonical JSON, by concatenation.
// Measured: canonical JSON by walking costs several times as much. A property test holds the two together.

import type { EntryId, RequestId } from '../ids.ts';
import { type Fragment, type OnReplaced, quote } from './canonical.ts';
import type { Status } from './entry-fields.ts';

/**
 * Members of both phases. Fragments are rendered once by the caller and kept with what they describe. Looking for what
 * JSON escapes costs more than all else here: ids of ours, and words of a closed list, hold nothing of it.
 */
export type CallParts = {
  readonly type: 'model_call' | 'tool_call';
  readonly id: EntryId;
  readonly log: Fragment;
  readonly ts: Fragment;
  readonly node: Fragment;
  readonly boot: Fragment;
  readonly sv: number;
  readonly req: RequestId;
  readonly attempt: number;
  /** Rendered once for a credential and version. */
  readonly actor: Fragment;
  /** Rendered once for a model and route. */
  readonly target: Fragment;
  readonly class?: Fragment | undefined;
  readonly cc?: string | undefined;
  readonly tags?: Fragment | undefined;
  readonly trace?: string | undefined;
  readonly run?: Fragment | undefined;
  readonly err?: FailureParts | undefined;
};

/** A request's commitments (64 hex digits), the entry beside which its client is sealed, its length in bytes. */
export type RequestContent = {
  readonly client?: EntryId | undefined;
  readonly client_c?: string | undefined;
  readonly req_c?: string | undefined;
  readonly req_len: number;
};

/** An answer's commitment (64 hex digits), and its length in bytes. */
export type AnswerContent = { readonly resp_c?: string | undefined; readonly resp_len: number };

export type FailureParts = { readonly code: string; readonly http?: number | undefined };

export type IntentParts = {
  readonly content?: RequestContent | undefined;
  readonly policy: Fragment;
  readonly ctx: Fragment;
  readonly reserved?: ReservedParts | undefined;
  readonly status?: 'denied' | 'refused' | undefined;
};

export type ReservedParts = {
  readonly cost_nanos: number;
  readonly currency: string;
  readonly in?: number | undefined;
  readonly out?: number | undefined;
  readonly price_version: string;
};

export type OutcomeParts = {
  readonly content?: AnswerContent | undefined;
  readonly intent: EntryId;
  readonly status: Exclude<Status, 'denied' | 'refused'>;
  readonly usage?: UsageParts | undefined;
  readonly ms?:
    | { readonly decide?: number | undefined; readonly total: number; readonly upstream?: number | undefined }
    | undefined;
};

export type UsageParts = ReservedParts & {
  readonly in: number;
  readonly out: number;
  readonly cached?: number | undefined;
  readonly cache_write?: number | undefined;
  readonly cache_write_1h?: number | undefined;
  readonly reasoning?: number | undefined;
  readonly source: 'provider' | 'estimated';
};

/** The text of a call's intent entry. Not held to the schema here: its parts are ours. */
export function assembleIntent(parts: CallParts, own: IntentParts, onReplaced?: OnReplaced): string {
  return (
    `${head(parts, onReplaced)}${asked(own.content)},"ctx":${own.ctx.canonical}${failure(parts.err)}` +
    `,"id":"${parts.id}","log":${parts.log.canonical},"node":${parts.node.canonical},"phase":"intent"` +
    `,"policy":${own.policy.canonical},"req":"${parts.req}"${reservation(own.reserved)}${run(parts.run)}` +
    `${own.status === undefined ? '' : `,"status":"${own.status}"`},"sv":${parts.sv}` +
    `${tail(parts, onReplaced)},"v":1}`
  );
}

/** The text of a call's outcome entry. Not held to the schema here: its parts are ours. */
export function assembleOutcome(parts: CallParts, own: OutcomeParts, onReplaced?: OnReplaced): string {
  return (
    `${head(parts, onReplaced)}${answered(own.content)}${failure(parts.err)},"id":"${parts.id}"` +
    `,"intent":"${own.intent}","log":${parts.log.canonical}${durations(own.ms)},"node":${parts.node.canonical}` +
    `,"phase":"outcome","req":"${parts.req}"${run(parts.run)},"status":"${own.status}","sv":${parts.sv}` +
    `${tail(parts, onReplaced)}${used(own.usage)},"v":1}`
  );
}

function head(parts: CallParts, onReplaced: OnReplaced | undefined): string {
  return (
    `{"actor":${parts.actor.canonical},"attempt":${parts.attempt},"boot":${parts.boot.canonical}` +
    `${parts.cc === undefined ? '' : `,"cc":${quote(parts.cc, onReplaced)}`}` +
    `${parts.class === undefined ? '' : `,"class":${parts.class.canonical}`}`
  );
}

function tail(parts: CallParts, onReplaced: OnReplaced | undefined): string {
  return (
    `${parts.tags === undefined ? '' : `,"tags":${parts.tags.canonical}`},"target":${parts.target.canonical}` +
    `${parts.trace === undefined ? '' : `,"trace":${quote(parts.trace, onReplaced)}`}` +
    `,"ts":${parts.ts.canonical},"type":"${parts.type}"`
  );
}

function asked(parts: RequestContent | undefined): string {
  if (parts === undefined) return '';
  const { client, client_c, req_c, req_len } = parts;
  return (
    `,"content":{${client === undefined ? '' : `"client":"${client}",`}` +
    `${client_c === undefined ? '' : `"client_c":${quote(client_c)},`}` +
    `${req_c === undefined ? '' : `"req_c":${quote(req_c)},`}"req_len":${integer(req_len)}}`
  );
}

function answered(parts: AnswerContent | undefined): string {
  if (parts === undefined) return '';
  const { resp_c, resp_len } = parts;
  return `,"content":{${resp_c === undefined ? '' : `"resp_c":${quote(resp_c)},`}"resp_len":${integer(resp_len)}}`;
}

function failure(parts: FailureParts | undefined): string {
  return parts === undefined ? '' : `,"err":{"code":${quote(parts.code)}${optional(',"http":', parts.http)}}`;
}

function reservation(parts: ReservedParts | undefined): string {
  if (parts === undefined) return '';
  return (
    `,"reserved":{"cost_nanos":${integer(parts.cost_nanos)},"currency":${quote(parts.currency)}` +
    `${optional(',"in":', parts.in)}${optional(',"out":', parts.out)},"price_version":${quote(parts.price_version)}}`
  );
}

function used(parts: UsageParts | undefined): string {
  if (parts === undefined) return '';
  const { cache_write, cache_write_1h, cached } = parts;
  return (
    `,"usage":{${cache_write === undefined ? '' : `"cache_write":${integer(cache_write)},`}` +
    `${cache_write_1h === undefined ? '' : `"cache_write_1h":${integer(cache_write_1h)},`}` +
    `${cached === undefined ? '' : `"cached":${integer(cached)},`}"cost_nanos":${integer(parts.cost_nanos)}` +
    `,"currency":${quote(parts.currency)},"in":${integer(parts.in)},"out":${integer(parts.out)}` +
    `,"price_version":${quote(parts.price_version)}${optional(',"reasoning":', parts.reasoning)}` +
    `,"source":"${parts.source}"}`
  );
}

function durations(ms: OutcomeParts['ms']): string {
  if (ms === undefined) return '';
  const decided = ms.decide === undefined ? '' : `"decide":${integer(ms.decide)},`;
  return `,"ms":{${decided}"total":${integer(ms.total)}${optional(',"upstream":', ms.upstream)}}`;
}

function run(parts: Fragment | undefined): string {
  return parts === undefined ? '' : `,"run":${parts.canonical}`;
}

/** `name` with what stands around it: text that is put together once costs less. */
function optional(name: string, value: number | undefined): string {
  return value === undefined ? '' : name + integer(value);
}

function integer(value: number): string {
  // INVARIANT: no other number may reach an entry; NaN from a provider's usage must fail here, not be recorded.
  if (!Number.isSafeInteger(value)) throw new RangeError(`\`${value}\` cannot be recorded: use an integer`);
  return String(value);
}
