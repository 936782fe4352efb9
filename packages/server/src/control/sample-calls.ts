// Owns recorded calls for tests: intents and outcomes as the gateway writes them, committed and projected.

import { createSecretKey, randomBytes } from 'node:crypto';
import { isId, makeEntryId, makeRequestId } from '@countersign/core/ids';
import { type CallIntent, type CallOutcome, encodeEntry } from '@countersign/core/ledger/entry';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { subjectKeyBinding } from '../services/subjects/bindings.ts';
import { sealContent } from '../services/subjects/sealed-content.ts';
import { readHead } from '../stores/heads.ts';
import { readSubject, type Sidecar } from '../stores/secrets.ts';
import type { Asker, SampleStore } from './sample-organization.ts';

export type SampleCall = {
  readonly model?: string;
  readonly modelId?: string;
  readonly labels?: readonly string[];
  readonly teams?: readonly string[];
  readonly roles?: readonly string[];
  readonly costNanos?: number;
  readonly costCentre?: string;
  /** Sealed as the request's content. */
  readonly content?: string;
  /** Without its outcome, as a crash leaves it. */
  readonly isOpen?: true;
};

const usage = {
  in: 10,
  out: 5,
  currency: 'USD',
  price_version: 'model',
  source: 'provider',
} as const;

function intentOf(
  asker: Asker,
  call: SampleCall,
  nowMs: number,
  origin: string,
  version: number,
): CallIntent {
  const { model = 'sandbox', modelId, labels = [], teams = [], roles = ['member'] } = call;
  return {
    v: 1,
    id: makeEntryId(nowMs, new Uint8Array(randomBytes(10))),
    log: origin,
    ts: new Date(nowMs).toISOString(),
    node: 'node-1',
    boot: 'boot-1',
    sv: version,
    type: 'model_call',
    phase: 'intent',
    req: makeRequestId(nowMs, new Uint8Array(randomBytes(10))),
    attempt: 1,
    actor: {
      id: asker.principalId,
      kind: isId('user', asker.principalId) ? 'user' : 'service',
      org: asker.orgId,
      ws: asker.workspaceId,
      teams: [...teams],
      roles: [...roles],
      proof: 'key',
    },
    target: {
      endpoint: 'chat',
      model,
      provider: 'sandbox',
      ...(modelId === undefined ? {} : { resource: modelId }),
    },
    policy: { decision: 'allow', version: 1, hash: '0'.repeat(64), rules: ['all'] },
    class: { labels: [...labels] },
    ...(call.costCentre === undefined ? {} : { cc: call.costCentre }),
    ctx: {
      workspace: { __entity: { type: 'Workspace', id: asker.workspaceId } },
      workspaceName: 'default',
      endpoint: 'chat',
      dialect: 'openai',
      stream: false,
      labels: [...labels],
      counts: { total: labels.length },
      opaque: false,
      tokens: 10,
      hostedTools: [],
      claimed: { tags: [] },
    },
  };
}

function outcomeOf(intent: CallIntent, costNanos: number, nowMs: number): CallOutcome {
  const { ctx: _ctx, policy: _policy, reserved: _reserved, ...common } = intent;
  return {
    ...common,
    id: makeEntryId(nowMs, new Uint8Array(randomBytes(10))),
    phase: 'outcome',
    intent: intent.id,
    status: 'ok',
    usage: { ...usage, cost_nanos: costNanos },
    ms: { total: 12 },
  };
}

/** The entries of one call, not committed. */
export function callEntries(
  store: SampleStore,
  asker: Asker,
  log: { readonly origin: string; readonly version: number },
): { readonly intent: CallIntent; readonly outcome: CallOutcome } {
  const intent = intentOf(asker, {}, store.deps.now(), log.origin, log.version);
  return { intent, outcome: outcomeOf(intent, 1_000, store.deps.now()) };
}

async function sidecarsOf(
  store: SampleStore,
  { orgId, principalId }: Asker,
  entryId: CallIntent['id'],
  content: string | undefined,
): Promise<readonly Sidecar[]> {
  const subject = await readSubject(store.db, orgId, principalId);
  if (content === undefined || subject?.sealedKey == null) return [];
  const key = store.sealer.open(subject.sealedKey, subjectKeyBinding(orgId, principalId));
  const body = Buffer.from(content, 'utf8');
  const sealed = sealContent(createSecretKey(key), orgId, entryId, 'request', body);
  return [{ entryId, purpose: 'request', subjectId: principalId, sealed }];
}

/** Commits one call with its outcome and projects it; gives its intent. */
export async function recordCall(
  store: SampleStore,
  asker: Asker,
  call: SampleCall = {},
): Promise<CallIntent> {
  const { orgId } = asker;
  const head = await readHead(store.db, orgId);
  const version = head?.version ?? 0;
  const intent = intentOf(asker, call, store.deps.now(), head?.origin ?? '', version);
  const outcome = outcomeOf(intent, call.costNanos ?? 1_000, store.deps.now());
  const made = call.isOpen === true ? [intent] : [intent, outcome];
  const entries = made.map((entry) => Buffer.from(encodeEntry(entry), 'utf8'));
  const sidecars = await sidecarsOf(store, asker, intent.id, call.content);
  await store.committer.commit([
    {
      orgId,
      bundle: encodeBundle(entries),
      versions: made.map((entry) => (entry === intent ? version : -1)),
      sidecars: sidecars.map((value) => ({ position: 0, value })),
      objects: [],
    },
  ]);
  await store.projector.drain(orgId);
  return intent;
}
