// Owns one attempt of a call: a durable intent, the forwarding, a durable outcome, the last bytes.

import { mayIgnoreLimit } from '@countersign/core/dialects/token-bounds';
import { AppError } from '@countersign/core/errors';
import { pushLimitHeaders } from '@countersign/core/metering/limit-answer';
import type { SubjectKey } from '../services/subjects/subject-key.ts';
import { upstreamHeaders } from '../upstreams/providers/request-headers.ts';
import type { ActiveCall } from './active-calls.ts';
import type { Asked } from './admit.ts';
import { recordHeaders } from './answer.ts';
import type { Reply, ReplyHeaders } from './call.ts';
import type { GatewayDeps } from './deps.ts';
import { forward } from './steps/forward.ts';
import type { Forwarded, ForwardingCall } from './steps/forwarding.ts';
import { joined } from './steps/joined.ts';
import { estimatedInput } from './steps/meter.ts';
import { type Recorded, recordIntent } from './steps/record-intent.ts';
import { failureCode, recordOutcome } from './steps/record-outcome.ts';

function ownHeaders(deps: GatewayDeps, recorded: Recorded): ReplyHeaders {
  const { entry, admitted } = recorded;
  const { snapshot } = entry.asked.authenticated;
  const dims = admitted.decided.facts.dimensions(admitted.selected.model, admitted.others);
  const headers = recordHeaders(entry);
  pushLimitHeaders(headers, deps.meter.headroom(snapshot.orgId, dims));
  return headers;
}

/** What a forwarding needs beside the record; nearly always there without a wait. */
type Supplies = { readonly key: SubjectKey | undefined; readonly providerKey: string | undefined };

function supplies(deps: GatewayDeps, recorded: Recorded): Supplies | Promise<Supplies> {
  const { entry, admitted } = recorded;
  const { orgId } = entry.asked.authenticated.snapshot;
  const key = deps.subjectKey(orgId, entry.decided.actor.principalId);
  const providerKey = deps.providerKeyOf(orgId, admitted.selected.provider);
  if (!(key instanceof Promise) && !(providerKey instanceof Promise)) return { key, providerKey };
  return Promise.all([key, providerKey]).then((both) => ({ key: both[0], providerKey: both[1] }));
}

/** How the answer's content is committed to, if it is. */
function commitmentOf(deps: GatewayDeps, { entry }: Recorded, key: SubjectKey | undefined) {
  if (key === undefined || entry.decided.content === 'none') return undefined;
  return {
    whole: (content: Uint8Array) => deps.commitments.commit(key, entry.id, 'response', content),
    begin: () => deps.commitments.begin(key, entry.id, 'response'),
  };
}

/** The limit that the body names as it leaves, and its provider knows: the client's, or the one that policy wrote into it. */
function namedLimit({ entry, admitted }: Recorded): number | undefined {
  const { request } = entry.asked;
  if (mayIgnoreLimit(admitted.selected.provider.kind, request)) return undefined;
  const { maxOutputTokens } = request;
  const { maxTokens } = entry.decided.obligations;
  const isWritten = admitted.splices.some(({ purpose }) => purpose === 'token_ceiling');
  return isWritten ? Math.min(maxTokens ?? Infinity, maxOutputTokens ?? Infinity) : maxOutputTokens;
}

/** Output tokens at which a stream is cut: what is reserved, or less where policy says so and only we hold to it. */
function outputCeiling({ entry, admitted }: Recorded): number {
  const { request } = entry.asked;
  const { maxTokens } = entry.decided.obligations;
  const { output } = admitted.worst;
  if (maxTokens === undefined || !mayIgnoreLimit(admitted.selected.provider.kind, request))
    return Math.max(1, output);
  return Math.max(1, Math.min(output, maxTokens * request.choices));
}

function begin(
  deps: GatewayDeps,
  recorded: Recorded,
  reply: Reply,
  attempt: number,
  { key, providerKey }: Supplies,
): ForwardingCall {
  const { entry, admitted } = recorded;
  const { asked, decided } = entry;
  const { call, request } = asked;
  const { provider } = admitted.selected;
  const hasBody = call.method !== 'GET' && call.method !== 'HEAD';
  return forward({
    upstream: deps.upstreamOf(asked.authenticated.snapshot, provider),
    outbound: {
      method: call.method,
      path: call.endpoint.providerPath + call.query,
      headers: upstreamHeaders(
        provider.kind,
        call.endpoint.id,
        call.rawHeaders,
        providerKey,
        hasBody ? admitted.body.length : undefined,
      ),
      body: hasBody ? admitted.body : null,
    },
    request,
    reply,
    ownHeaders: ownHeaders(deps, recorded),
    outputCeiling: outputCeiling(recorded),
    inputEstimate: estimatedInput(request.counts, admitted.worst),
    namedLimit: namedLimit(recorded),
    maxAnswerBytes: deps.maxAnswerBytes,
    commitment: commitmentOf(deps, recorded, key),
    keepsBody: decided.content === 'sealed',
    providerKey,
    retryStatuses: attempt === 1 ? provider.retryStatuses : [],
    clock: deps.clock,
  });
}

/** From now on a client that goes or a credential that ends cuts the forwarding. Returns what ends that. */
function watch(deps: GatewayDeps, recorded: Recorded, forwarding: ForwardingCall): ActiveCall {
  const { asked } = recorded.entry;
  const { snapshot } = asked.authenticated;
  const { orgId } = snapshot;
  const active = {
    credential: asked.authenticated.credential,
    decidedMs: recorded.entry.atMs,
    cut: forwarding.cut,
    slot: -1,
  };
  try {
    asked.call.onGone(() =>
      forwarding.cut({
        status: 'cancelled',
        code: 'client_gone',
        error: new AppError('invalid_request', 'the client has gone'),
      }),
    );
    deps.activeCalls.add(orgId, active);
    // What was revoked between the decision and here was reviewed without this call.
    if (snapshot.version() !== recorded.entry.decided.version) deps.activeCalls.review(snapshot);
  } catch (error) {
    // INVARIANT: a call that nobody could watch over is ended, and has its outcome like any other.
    deps.onError(error, asked.call.requestId);
    forwarding.cut({ status: 'cut', error: new AppError('internal', 'something went wrong here') });
  }
  return active;
}

const failureTexts: { readonly [code: string]: string } = {
  upstream_unreachable: 'the provider could not be reached: retry, or tell your administrator',
  upstream_timeout: 'the provider did not answer in time: retry, or tell your administrator',
  upstream_invalid: 'the provider sent something that is no valid answer: retry, or tell your administrator',
};

const forbiddenText =
  "the provider's address may not be called from this server: tell your administrator, whose log says why";

/** What the caller is told of a provider that failed. */
function failureText(code: string, { fault, failure }: Forwarded): string {
  if (failure?.kind === 'forbidden') return forbiddenText;
  if (fault === 'cut_short')
    return "the provider's answer broke off before its end: do not use what came of it; retry, or tell your administrator";
  return failureTexts[code] ?? 'the provider failed';
}

/** Releases what was held back, now that the outcome is durable. */
function release(recorded: Recorded, forwarded: Forwarded, reply: Reply): void {
  const code = failureCode(forwarded);
  const error =
    forwarded.cut?.error ??
    (code === undefined ? undefined : new AppError(code, failureText(code, forwarded)));
  if (error !== undefined) {
    if (forwarded.headSent) reply.fail(error);
    else reply.refuse(error, recordHeaders(recorded.entry));
    return;
  }
  const body = joined(forwarded.held);
  if (!forwarded.headSent) reply.head(forwarded.status, forwarded.headers, body.length);
  reply.end(body);
}

/** What the caller is not told of a provider that gave no answer. */
function noteFailure(deps: GatewayDeps, { entry }: Recorded, { failure }: Forwarded): void {
  if (failure !== undefined && failure.kind !== 'aborted')
    deps.noteFailed(entry.asked.call.requestId, failure);
}

/** An attempt of which nothing left, because it could not even begin. */
function neverLeft(cause: unknown): Forwarded {
  return {
    status: 0,
    headers: [],
    isStream: false,
    isJson: false,
    headSent: false,
    held: [],
    bytes: 0,
    body: [],
    commitment: undefined,
    report: undefined,
    failure: { kind: 'unreachable', beforeHeaders: true, requestSent: false, cause },
    fault: undefined,
    cut: undefined,
    shouldRetry: false,
    firstByteMs: 0,
    upstreamMs: 0,
  };
}

/**
 * One attempt. True when the provider's answer asks for another, and this one's outcome is recorded. INVARIANT:
 * once the intent is durable an outcome follows, whatever the client does.
 */
export async function attemptCall(
  deps: GatewayDeps,
  asked: Asked,
  reply: Reply,
  attempt: number,
): Promise<boolean> {
  const { orgId } = asked.authenticated.snapshot;
  const unsettled = deps.budgetsSettled(orgId);
  if (unsettled !== undefined) await unsettled;
  const recorded = await recordIntent(deps, asked, attempt);
  let forwarding: ForwardingCall;
  let key: SubjectKey | undefined;
  try {
    const found = supplies(deps, recorded);
    const supplied = found instanceof Promise ? await found : found;
    key = supplied.key;
    forwarding = begin(deps, recorded, reply, attempt, supplied);
  } catch (error) {
    deps.onError(error, asked.call.requestId);
    const forwarded = neverLeft(error);
    await recordOutcome(deps, recorded, forwarded, undefined);
    release(recorded, forwarded, reply);
    return false;
  }
  const active = watch(deps, recorded, forwarding);
  const forwarded = await forwarding.done;
  noteFailure(deps, recorded, forwarded);
  await deps.rounds.next();
  deps.activeCalls.remove(orgId, active);
  await recordOutcome(deps, recorded, forwarded, key);
  if (forwarded.shouldRetry) return true;
  release(recorded, forwarded, reply);
  return false;
}
