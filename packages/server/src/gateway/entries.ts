// Owns the two entries of a call: the intent before anything leaves, the outcome before the answer ends.

import type { SpliceRecord } from '@countersign/core/dialects/splice';
import { contextFragment } from '@countersign/core/directory/context-entry';
import type { EntryId } from '@countersign/core/ids';
import {
  assembleIntent,
  assembleOutcome,
  type CallParts,
  type FailureParts,
  type RequestContent,
  type UsageParts,
} from '@countersign/core/ledger/assemble';
import { type Fragment, fragment } from '@countersign/core/ledger/canonical';
import { checkEntrySize } from '@countersign/core/ledger/entry';
import type { Status } from '@countersign/core/ledger/entry-fields';
import { listedRules } from '@countersign/core/ledger/listed-rules';
import { actorFragment } from '../services/callers/resolve.ts';
import type { OrgSnapshot } from '../services/snapshot/org-snapshot.ts';
import type { Asked, Decided } from './admit.ts';
import type { EntryDeps } from './entry-deps.ts';
import type { Selected } from './steps/select-model.ts';

export type CallEntry = {
  readonly id: EntryId;
  readonly attempt: number;
  readonly asked: Asked;
  readonly decided: Decided;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** The actor, where the entry cannot hold them whole. */
  readonly actor?: Fragment;
};

function policyFragment(snapshot: OrgSnapshot, decided: Decided, splices: readonly SpliceRecord[]): Fragment {
  const { decision, reason, obligations } = decided;
  const { version, hash: policyHash } = decided.policy;
  const hasObligations =
    obligations.redact.length > 0 ||
    obligations.content !== undefined ||
    obligations.model !== undefined ||
    obligations.maxTokens !== undefined;
  const [permit, ...morePermits] = decision.policyIds;
  const isPlain =
    decision.outcome === 'allow' &&
    morePermits.length === 0 &&
    decision.errors.length === 0 &&
    reason === undefined &&
    splices.length === 0 &&
    !hasObligations;
  const key = isPlain ? permit : undefined;
  const known = key === undefined ? undefined : snapshot.rendered.permits.get(key, decided.policy);
  if (known !== undefined) return known;
  const made = fragment({
    decision: decision.outcome,
    version,
    hash: policyHash,
    ...listedRules(decision),
    ...(hasObligations || splices.length > 0
      ? {
          obligations: {
            ...printedObligations(decided),
            ...(splices.length === 0 ? {} : { splices: [...splices] }),
          },
        }
      : {}),
    ...(reason === undefined ? {} : { reason }),
  });
  if (key !== undefined) snapshot.rendered.permits.set(key, decided.policy, made);
  return made;
}

function printedObligations({ obligations }: Decided) {
  const { redact, content, model, maxTokens } = obligations;
  return {
    ...(redact.length === 0 ? {} : { redact: [...redact] }),
    ...(content === undefined ? {} : { content }),
    ...(model === undefined ? {} : { model }),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
  };
}

/** What the decision read of the request beside the model's name: without it nobody could take it again. */
function readOfTarget({ call, owned }: Asked) {
  const { id, provider } = call.endpoint;
  return {
    ...(id === 'passthrough' ? { method: call.method } : {}),
    ...(provider === undefined ? {} : { pinned: provider }),
    ...(owned === undefined ? {} : { owned: owned.modelId }),
  };
}

/** What an outcome says of its model: which of those that might run it was, and its name in the provider's words. */
type Ran = Pick<OutcomeFacts, 'served' | 'ran'>;
const notRun: Ran = { served: undefined, ran: undefined };

function targetFragment(entry: CallEntry, { served, ran }: Ran): Fragment {
  const { decided, asked } = entry;
  const { snapshot } = asked.authenticated;
  const { request, call } = asked;
  const selected = ran ?? decided.selected;
  const { id, providerPath, provider } = call.endpoint;
  const isUsual = id !== 'passthrough' && asked.owned === undefined;
  const model = isUsual ? selected?.model : undefined;
  const parts =
    model === undefined || selected === undefined
      ? undefined
      : {
          model,
          provider: selected.provider,
          requested: request.model,
          endpoint: id,
          route: providerPath,
          pinned: provider,
          served,
        };
  const known = parts && snapshot.rendered.target(parts);
  if (known !== undefined) return known;
  const made = fragment({
    endpoint: id,
    route: providerPath,
    ...readOfTarget(asked),
    ...(decided.asked === '' ? {} : { model: decided.asked }),
    ...(selected === undefined
      ? {}
      : {
          provider: selected.provider.name,
          ...(selected.model === undefined
            ? {}
            : { resource: selected.model.id, served: served ?? selected.model.upstreamName }),
        }),
  });
  if (parts !== undefined) snapshot.rendered.setTarget(parts, made);
  return made;
}

const traceParent = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/;

/** The trace that the client says its call belongs to (W3C Trace Context, `traceparent`); a malformed one is none. */
function traceOf({ call }: Asked): string | undefined {
  const said = call.header('traceparent');
  return said === undefined ? undefined : traceParent.exec(said)?.[1];
}

/** What both entries of a call say. */
function callParts(
  deps: EntryDeps,
  entry: CallEntry,
  id: EntryId,
  atMs: number,
  ran: Ran,
  err: FailureParts | undefined,
): CallParts {
  const { asked, decided } = entry;
  const { snapshot } = asked.authenticated;
  return {
    type: 'model_call',
    id,
    log: snapshot.originText,
    ts: deps.timestamp(atMs),
    node: deps.nodeText,
    boot: deps.bootText,
    sv: decided.version,
    req: asked.call.requestId,
    attempt: entry.attempt,
    actor: entry.actor ?? actorFragment(snapshot, decided.actor, entry.atMs, decided.facts),
    target: targetFragment(entry, ran),
    class: decided.classified.entry,
    cc: decided.facts.costCentre,
    trace: traceOf(asked),
    err,
  };
}

/** The intent of a call, or the only entry of a refused one (`refused`: with the code that the caller sees). */
export function intentText(
  deps: EntryDeps,
  entry: CallEntry,
  more: {
    readonly commitment: string | undefined;
    readonly client: Pick<RequestContent, 'client' | 'client_c'>;
    readonly splices: readonly SpliceRecord[];
    readonly refused: { readonly status: 'denied' | 'refused'; readonly code: string } | undefined;
  },
): string {
  const { asked, decided } = entry;
  const { snapshot } = asked.authenticated;
  const { worst } = decided;
  const { client, client_c } = more.client;
  const err = more.refused === undefined ? undefined : { code: more.refused.code };
  const text = assembleIntent(callParts(deps, entry, entry.id, entry.atMs, notRun, err), {
    content: { client, client_c, req_len: asked.body.length, req_c: more.commitment },
    policy: policyFragment(snapshot, decided, more.splices),
    ctx: contextFragment(decided.context),
    reserved:
      worst === undefined
        ? undefined
        : {
            cost_nanos: worst.nanos,
            currency: snapshot.organization().currency,
            in: worst.input,
            out: worst.output,
            price_version: worst.priceVersion,
          },
    status: more.refused?.status,
  });
  checkEntrySize('model_call', text);
  return text;
}

export type OutcomeFacts = {
  readonly status: Exclude<Status, 'denied' | 'refused'>;
  readonly served: string | undefined;
  /** The model that the call is paid for; absent where nothing ran. */
  readonly ran: Selected | undefined;
  readonly usage: UsageParts | undefined;
  readonly commitment: string | undefined;
  readonly responseBytes: number;
  readonly error: { readonly code: string; readonly http?: number | undefined } | undefined;
  readonly totalMs: number;
  readonly upstreamMs: number;
  readonly decideMs: number;
};

/** The outcome that closes the intent `entry`. `id` is the outcome's own. */
export function outcomeText(
  deps: EntryDeps,
  entry: CallEntry,
  id: EntryId,
  atMs: number,
  facts: OutcomeFacts,
): string {
  const text = assembleOutcome(callParts(deps, entry, id, atMs, facts, facts.error), {
    content: { resp_len: facts.responseBytes, resp_c: facts.commitment },
    intent: entry.id,
    status: facts.status,
    usage: facts.usage,
    ms: {
      total: Math.ceil(facts.totalMs),
      upstream: Math.ceil(facts.upstreamMs),
      decide: Math.ceil(facts.decideMs),
    },
  });
  checkEntrySize('model_call', text);
  return text;
}
