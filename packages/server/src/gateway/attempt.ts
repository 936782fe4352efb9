// Owns one attempt of a call: a durable intent, the forwarding, a durable outcome, the last bytes.

import { AppError } from '@countersign/core/errors';
import { limitHeaders } from '@countersign/core/metering/limit-answer';
import { upstreamHeaders } from '../upstreams/providers/request-headers.ts';
import type { Asked } from './admit.ts';
import { recordHeaders } from './answer.ts';
import type { Reply, ReplyHeaders } from './call.ts';
import type { GatewayDeps } from './deps.ts';
import { streamCommitment } from './entries.ts';
import { type Forwarded, type ForwardingCall, forward } from './steps/forward.ts';
import { type Recorded, recordIntent } from './steps/record-intent.ts';
import { failureCode, recordOutcome } from './steps/record-outcome.ts';
import { dimensionsOf } from './steps/reserve.ts';

function ownHeaders(deps: GatewayDeps, recorded: Recorded): ReplyHeaders {
  const { entry, admitted } = recorded;
  const { actor, costCentre } = admitted.decided;
  const { snapshot } = entry.asked.authenticated;
  const room = deps.meter.headroom(snapshot.orgId, dimensionsOf(actor, admitted.selected.model, costCentre));
  return [...recordHeaders(entry), ...Object.entries(limitHeaders(room)).flat()];
}

async function begin(deps: GatewayDeps, recorded: Recorded, reply: Reply, attempt: number) {
  const { entry, admitted } = recorded;
  const { asked, decided } = entry;
  const { call, request } = asked;
  const { snapshot } = asked.authenticated;
  const { provider } = admitted.selected;
  const found = deps.subjectKey(snapshot.orgId, decided.actor.principalId);
  const key = found instanceof Promise ? await found : found;
  const mode = decided.content;
  const commitment = key === undefined || mode === 'none' ? undefined : streamCommitment(key, entry.id);
  const secret = deps.providerKeyOf(snapshot.orgId, provider);
  const providerKey = secret instanceof Promise ? await secret : secret;
  const upstream = await deps.upstreamOf(snapshot, provider);
  const hasBody = call.method !== 'GET' && call.method !== 'HEAD';
  const forwarding = forward({
    upstream,
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
    outputCeiling: Math.max(1, admitted.worst.output),
    maxAnswerBytes: deps.maxAnswerBytes,
    commitment,
    keepsBody: mode === 'sealed',
    providerKey,
    retryStatuses: attempt === 1 ? provider.retryStatuses : [],
    clock: deps.clock,
  });
  return { forwarding, key, commitment };
}

/** Waits for the end of a forwarding; a client that goes or a credential that ends cuts it. */
async function attend(deps: GatewayDeps, recorded: Recorded, forwarding: ForwardingCall): Promise<Forwarded> {
  const { asked } = recorded.entry;
  const { snapshot } = asked.authenticated;
  const { orgId } = snapshot;
  const active = { credential: asked.authenticated.credential, cut: forwarding.cut };
  asked.call.onGone(() =>
    forwarding.cut({ status: 'cancelled', error: new AppError('invalid_request', 'the client has gone') }),
  );
  deps.activeCalls.add(orgId, active);
  // What was revoked between the decision and here was reviewed without this call.
  if (snapshot.version() !== recorded.entry.decided.version) deps.activeCalls.review(snapshot, deps.now());
  try {
    return await forwarding.done;
  } finally {
    deps.activeCalls.remove(orgId, active);
  }
}

const failureTexts: { readonly [code: string]: string } = {
  upstream_unreachable: 'the provider could not be reached: retry, or tell your administrator',
  upstream_timeout: 'the provider did not answer in time: retry, or tell your administrator',
  upstream_invalid: 'the provider sent something that is no valid answer: retry, or tell your administrator',
};

/** What the caller is told of a provider that failed. */
function failureText(code: string, fault: string | undefined): string {
  if (fault === 'cut_short')
    return "the provider's answer broke off before its end: do not use what came of it; retry, or tell your administrator";
  return failureTexts[code] ?? 'the provider failed';
}

/** Releases what was held back, now that the outcome is durable. */
function release(recorded: Recorded, forwarded: Forwarded, reply: Reply): void {
  const code = failureCode(forwarded);
  const error =
    forwarded.cut?.error ??
    (code === undefined ? undefined : new AppError(code, failureText(code, forwarded.fault)));
  if (error !== undefined) {
    if (forwarded.headSent) reply.fail(error);
    else reply.refuse(error, recordHeaders(recorded.entry));
    return;
  }
  const body = forwarded.held.length === 1 ? forwarded.held[0] : Buffer.concat(forwarded.held);
  if (!forwarded.headSent) {
    reply.head(forwarded.status, [...forwarded.headers, 'content-length', String(body?.length ?? 0)]);
  }
  reply.end(body);
}

/** An attempt of which nothing left, because it could not even begin. */
function neverLeft(cause: unknown): Forwarded {
  return {
    status: 0,
    headers: [],
    isStream: false,
    headSent: false,
    held: [],
    bytes: 0,
    body: [],
    report: undefined,
    failure: { kind: 'unreachable', beforeHeaders: true, requestSent: false, cause },
    fault: undefined,
    cut: undefined,
    shouldRetry: false,
    firstByteMs: 0,
    upstreamMs: 0,
  };
}

async function run(deps: GatewayDeps, recorded: Recorded, reply: Reply, attempt: number) {
  let begun: Awaited<ReturnType<typeof begin>>;
  try {
    begun = await begin(deps, recorded, reply, attempt);
  } catch (error) {
    deps.onError(error, recorded.entry.asked.call.requestId);
    return { forwarded: neverLeft(error), key: undefined, commitment: undefined };
  }
  const { forwarding, key, commitment } = begun;
  return { forwarded: await attend(deps, recorded, forwarding), key, commitment };
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
  await deps.budgetsSettled(asked.authenticated.snapshot.orgId);
  const recorded = await recordIntent(deps, asked, attempt);
  const { forwarded, key, commitment } = await run(deps, recorded, reply, attempt);
  await recordOutcome(deps, recorded, forwarded, key, commitment);
  if (forwarded.shouldRetry) return true;
  release(recorded, forwarded, reply);
  return false;
}
