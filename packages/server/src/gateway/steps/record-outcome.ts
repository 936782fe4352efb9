// Owns step 10: what became of the call is durable before the answer's last byte; its reservation is settled.

import { isStorable } from '@countersign/core/dialects/answer-notes';
import { storesAnswer } from '@countersign/core/dialects/inference-request';
import { madeByAnswer } from '@countersign/core/dialects/kept-paths';
import { AppError } from '@countersign/core/errors';
import { isPlainText, plainTextOf } from '@countersign/core/plain-text';
import type { ToRecord } from '../../services/ledger/recorder.ts';
import type { SubjectKey } from '../../services/subjects/subject-key.ts';
import type { ProviderObject } from '../../stores/provider-objects.ts';
import type { UpstreamError } from '../../upstreams/upstream.ts';
import type { GatewayDeps } from '../deps.ts';
import { type OutcomeFacts, outcomeText } from '../entries.ts';
import type { Forwarded } from './forwarding.ts';
import { joined } from './joined.ts';
import { meterUnknown } from './meter.ts';
import type { Recorded } from './record-intent.ts';
import { type MeteredCall, meterServed } from './served.ts';
import { contentSidecar } from './sidecar.ts';

type Ending = { readonly status: OutcomeFacts['status']; readonly error: OutcomeFacts['error'] };

const failureCodes: { readonly [K in UpstreamError['kind']]: AppError['code'] } = {
  unreachable: 'upstream_unreachable',
  forbidden: 'upstream_unreachable',
  timeout_connect: 'upstream_timeout',
  timeout_first_byte: 'upstream_timeout',
  timeout_idle: 'upstream_timeout',
  invalid: 'upstream_invalid',
  redirect: 'upstream_invalid',
  aborted: 'upstream_unreachable',
  too_large: 'upstream_invalid',
};

/** The code under which an attempt's failure is known to the caller and in the record. */
export function failureCode({ fault, failure }: Forwarded): AppError['code'] | undefined {
  if (fault !== undefined) return 'upstream_invalid';
  return failure === undefined ? undefined : failureCodes[failure.kind];
}

function endingOf(forwarded: Forwarded): Ending {
  const { cut, status, shouldRetry } = forwarded;
  if (shouldRetry) return { status: 'upstream_error', error: { code: 'retried', http: status } };
  if (cut !== undefined) return { status: cut.status, error: { code: cut.code ?? cut.error.code } };
  const code = failureCode(forwarded);
  if (code !== undefined)
    return { status: 'failed', error: { code, ...(status >= 100 ? { http: status } : {}) } };
  if (status < 200 || status > 299)
    return { status: 'upstream_error', error: { code: 'upstream_status', http: status } };
  // Within a stream, or under a status that says otherwise: the provider's own word that it failed.
  if (forwarded.report?.ending === 'error')
    return { status: 'upstream_error', error: { code: 'upstream_said_error', http: status } };
  return { status: 'ok', error: undefined };
}

/** What the attempt used: the provider's word, our flagged estimate, or what was reserved where nobody can know. */
function meteredOf(recorded: Recorded, forwarded: Forwarded): MeteredCall | undefined {
  const { snapshot } = recorded.entry.asked.authenticated;
  const { selected, others, worst } = recorded.admitted;
  const { report } = forwarded;
  // What is made after the connection ends is counted nowhere that we see.
  const { request } = recorded.entry.asked;
  const isMadeLater = request.providerState.background && report?.estimated === true;
  if (report !== undefined && !isMadeLater) return meterServed(snapshot, request, selected, others, report);
  if (forwarded.shouldRetry || forwarded.failure?.requestSent === false) return undefined;
  // A redirect is whole, and no answer.
  if (forwarded.failure?.kind === 'redirect') return undefined;
  // A whole answer with another status than 2xx is not billed; one that never came may have been.
  if (forwarded.failure === undefined && !isMadeLater) return undefined;
  return { ...meterUnknown(snapshot, worst), ran: worst.dearest };
}

/**
 * INVARIANT: a cost that cannot be told, whatever the answer says, is what was reserved: the reservation ends, and an
 * outcome follows.
 */
function meteredOrWorst(
  deps: GatewayDeps,
  recorded: Recorded,
  forwarded: Forwarded,
): MeteredCall | undefined {
  try {
    return meteredOf(recorded, forwarded);
  } catch (error) {
    const { asked } = recorded.entry;
    deps.onError(error, asked.call.requestId);
    const { worst } = recorded.admitted;
    return { ...meterUnknown(asked.authenticated.snapshot, worst), ran: worst.dearest };
  }
}

/**
 * Records what became of an attempt and settles it. Rejects with `ledger_unavailable` if it cannot be recorded:
 * the held bytes must then not be released. Runs to its end whether or not the client is still there.
 */
export async function recordOutcome(
  deps: GatewayDeps,
  recorded: Recorded,
  forwarded: Forwarded,
  key: SubjectKey | undefined,
): Promise<void> {
  const { entry, admitted } = recorded;
  const { reservation, selected } = admitted;
  const { snapshot } = entry.asked.authenticated;
  const metered = meteredOrWorst(deps, recorded, forwarded);
  const ran = metered?.ran ?? selected;
  const shares = { ran: ran.model?.id, beside: metered?.beside ?? [] };
  const settlement = deps.meter.settle(reservation, metered?.nanos ?? 0, metered?.tokens ?? 0, shares);
  // INVARIANT: what was settled is said to be recorded or not, or a new budget would wait for it for ever.
  try {
    const facts = factsOf(deps, recorded, forwarded, metered);
    const written = await deps.recorder.record(outcomeOf(deps, recorded, forwarded, facts, key));
    deps.metrics.finished(facts.status, facts.totalMs / 1000);
    // INVARIANT: what is recorded as a fact is never stale.
    if (written.kind === 'stale') throw new AppError('internal', 'an outcome was refused as stale');
    deps.meter.ended(snapshot.orgId).recorded(reservation, written.index);
  } catch (error) {
    deps.meter.ended(snapshot.orgId).unrecorded(reservation, entry.id);
    throw error;
  }
  for (const alert of settlement.alerts) deps.alerts.budget(snapshot, alert);
  const { model, provider } = ran;
  const isUnpriced = model !== undefined && snapshot.price(model, provider).source === 'default';
  if (isUnpriced) deps.alerts.unknownPrice(snapshot, model);
}

/** What the provider says that it has run. It may say anything: it stands in one line of every copy of the record. */
function servedName({ report }: Forwarded): string | undefined {
  const said = report?.servedModel;
  if (said === undefined || (said.length <= 256 && isPlainText(said))) return said;
  // As many characters take at most twice as many units.
  const plain = plainTextOf(said, 128);
  return plain === '' ? undefined : plain;
}

/** What the outcome says of the attempt. */
function factsOf(
  deps: GatewayDeps,
  { entry, decideMs }: Recorded,
  forwarded: Forwarded,
  metered: MeteredCall | undefined,
): OutcomeFacts {
  const { status, error } = endingOf(forwarded);
  return {
    status,
    served: servedName(forwarded),
    ran: metered?.ran,
    usage: metered?.usage,
    commitment: forwarded.commitment,
    responseBytes: forwarded.bytes,
    error,
    totalMs: deps.clock() - entry.asked.call.receivedAt,
    upstreamMs: forwarded.upstreamMs,
    decideMs,
  };
}

/** The outcome as it is recorded, with what lies beside it. */
function outcomeOf(
  deps: GatewayDeps,
  recorded: Recorded,
  forwarded: Forwarded,
  facts: OutcomeFacts,
  key: SubjectKey | undefined,
): ToRecord {
  const { entry } = recorded;
  const text = outcomeText(deps, entry, deps.newEntryId(), deps.now(), facts);
  const sidecar = contentSidecar(entry, key, 'response', joined(forwarded.body));
  const objects = createdObjects(recorded, forwarded);
  return {
    orgId: entry.asked.authenticated.snapshot.orgId,
    text,
    version: -1,
    closes: () => ({ intent: entry.id, text }),
    sidecars: sidecar === undefined ? undefined : [sidecar],
    objects: objects.length === 0 ? undefined : objects,
  };
}

/** What the provider keeps only where it keeps the answer itself. */
const endsWithAnswer: ReadonlySet<string> = new Set(['response', 'item', 'completion']);

const noObjects: readonly ProviderObject[] = [];

/** Ids that the provider keeps and a later request may name: whose they are is recorded with the outcome. */
function createdObjects({ entry, admitted }: Recorded, forwarded: Forwarded): readonly ProviderObject[] {
  const { report, isJson, isStream } = forwarded;
  if (report === undefined) return noObjects;
  const { responseId, createdState, passed } = report;
  if (responseId === undefined && createdState.length === 0 && passed === undefined) return noObjects;
  const { endpoint, method } = entry.asked.call;
  const made =
    passed !== undefined && (isJson || isStream)
      ? madeByAnswer(method, endpoint.providerPath, passed)
      : createdState;
  const isKept = endpoint.id === 'passthrough' || storesAnswer(entry.asked.request);
  const objects: ProviderObject[] = [];
  const { selected, decided } = admitted;
  const add = (kind: string, id: string): void => {
    if (!isStorable(id) || (!isKept && endsWithAnswer.has(kind))) return;
    objects.push({
      kind,
      externalId: id,
      providerId: selected.provider.id,
      modelId: selected.model?.id ?? null,
      ownerId: decided.actor.principalId,
      workspaceId: decided.actor.standing.workspaceId,
      entryId: entry.id,
    });
  };
  if (responseId !== undefined && endpoint.id !== 'passthrough') add('response', responseId);
  for (const { kind, id } of made) if (kind !== 'response' || endpoint.id === 'passthrough') add(kind, id);
  return objects;
}
