// Owns the composition of the data plane from its ports. The benchmark composes it too, with a recorder of its own.

import { createHmac, createSecretKey, hash, randomFillSync } from 'node:crypto';
import { createTextReader } from '@countersign/core/classify/normalise';
import { type EntryId, makeEntryId, makeRequestId, type RequestId } from '@countersign/core/ids';
import { type Fragment, fragment } from '@countersign/core/ledger/canonical';
import { createActiveCalls } from '../gateway/active-calls.ts';
import type { GatewayDeps } from '../gateway/deps.ts';
import type { EntryDeps } from '../gateway/entry-deps.ts';
import type { ClientPool } from '../platform/egress/client-pool.ts';
import { limitFailures, limitRefusals } from '../platform/log/limited.ts';
import type { Log } from '../platform/log/log.ts';
import type { Registry } from '../platform/metrics/registry.ts';
import type { Rounds } from '../platform/rounds/rounds.ts';
import { createSealer } from '../platform/sealer/sealer.ts';
import type { Recorder } from '../services/ledger/recorder.ts';
import { createMeter } from '../services/meter/meter.ts';
import { selfTest } from '../services/meter/self-test.ts';
import { createRefusals, type Refusals } from '../services/refusals/refusals.ts';
import type { Step } from '../services/snapshot/snapshots.ts';
import { createSubjectKeys, type SubjectKeys } from '../services/subjects/key-cache.ts';
import { createCommitments } from '../services/subjects/subject-key.ts';
import { createAlerts } from './alerts.ts';
import { gatewayMetrics } from './gateway-metrics.ts';
import { createOrganizations, type Organizations } from './organizations.ts';
import type { Threads } from './start-threads.ts';
import type { ThreadKeys } from './threads.ts';
import { createUpstreams } from './upstreams.ts';

export type GatewayPorts = {
  readonly threads: Pick<Threads, 'reader' | 'writer' | 'installation'>;
  readonly recorder: Recorder;
  readonly rounds: Rounds;
  readonly pool: ClientPool;
  readonly masterKeys: ThreadKeys;
  readonly verifyToken: (
    organizations: Organizations,
    text: string,
  ) => ReturnType<GatewayDeps['verifyToken']>;
  readonly log: Log;
  readonly metrics: Registry;
  readonly node: string;
  readonly boot: string;
};

export type Gateway = {
  readonly deps: GatewayDeps;
  readonly organizations: Organizations;
  readonly refusals: Refusals;
  readonly newRequestId: () => RequestId;
  /** Installs a version that the writer has committed. */
  readonly onStep: (step: Step) => void;
};

const maxAnswerBytes = 64 * 1024 * 1024;
const encoder = new TextEncoder();

/** Random bytes for ids from a pool: one call of the kernel for many ids, and nothing made for one but its text. */
function createIds(now: () => number) {
  const pool = Buffer.alloc(10_000);
  const tens = Array.from({ length: pool.length / 10 }, (_, i) => pool.subarray(10 * i, 10 * i + 10));
  const bytes = new Uint8Array(16);
  let next = tens.length;
  function ten(): Uint8Array {
    if (next === tens.length) {
      randomFillSync(pool);
      next = 0;
    }
    next += 1;
    return tens[next - 1] ?? pool;
  }
  return {
    entryId: (): EntryId => makeEntryId(now(), ten(), bytes),
    requestId: (): RequestId => makeRequestId(now(), ten(), bytes),
  };
}

/** Times as RFC 3339 with milliseconds: the same second, and mostly the same millisecond, is asked for again and again. */
function createTimestamps(): (ms: number) => Fragment {
  let second = -1;
  let head = '';
  let last = -1;
  let text = fragment('');
  return (ms) => {
    if (ms === last) return text;
    const own = Math.floor(ms / 1000);
    if (own !== second) {
      second = own;
      head = new Date(own * 1000).toISOString().slice(0, -4);
    }
    text = fragment(`${head}${String(ms - own * 1000).padStart(3, '0')}Z`);
    last = ms;
    return text;
  };
}

function writtenBy(node: string, boot: string): EntryDeps {
  const texts = { nodeText: fragment(node), bootText: fragment(boot) };
  return { node, boot, ...texts, timestamp: createTimestamps() };
}

type Commit = (purpose: string, text: string) => string;

/** What stands for a text that is not to be recorded: an HMAC under the installation's own key, half of it. */
function createCommit(indexKey: Uint8Array): Commit {
  const key = createSecretKey(indexKey);
  return (purpose, text) =>
    createHmac('sha256', key).update(`${purpose}\u0000${text}`).digest('hex').slice(0, 32);
}

/** Refused credentials are counted in the installation's own log; addresses only as commitments. */
function composeRefusals(
  ports: GatewayPorts,
  now: () => number,
  newEntryId: () => EntryId,
  commit: Commit,
): Refusals {
  const { installation } = ports.threads;
  return createRefusals({
    record: (text) => ports.recorder.record({ orgId: installation.installationId, text, version: -1 }),
    commit: (address) => commit('address', address),
    newEntryId,
    now,
    origin: installation.origin,
    node: ports.node,
    boot: ports.boot,
  });
}

/** What is read past the snapshot: people's keys, providers' keys, whose a provider's object is; and commitments. */
function sealedPorts({ threads, pool, masterKeys }: GatewayPorts, now: () => number, commit: Commit) {
  const { reader } = threads;
  const opener = createSealer(masterKeys);
  const upstreams = createUpstreams({ pool, opener, reader, now });
  return {
    subjectKeys: createSubjectKeys({
      opener,
      load: (orgId, id) => reader.call('subjectKey', { orgId, id }),
      maxKeys: 50_000,
    }),
    upstreamOf: (_snapshot, provider) => upstreams.upstreamOf(provider),
    providerKeyOf: upstreams.providerKeyOf,
    commitClaim: (orgId, text) => commit(`claim\u0000${orgId}`, text),
    ownedObject: (orgId, ownerId, workspaceId, externalId) =>
      reader.call('ownedObject', { orgId, ownerId, workspaceId, externalId }),
  } satisfies Partial<GatewayDeps> & { readonly subjectKeys: SubjectKeys };
}

/** What callers are not told, where an administrator finds it: by the request's id. */
function logNotes(log: Log, refusals: Refusals) {
  const write = limitRefusals(log, () => performance.now());
  return {
    noteRefused(call, reason, detail) {
      refusals.note(call.address, reason);
      const fields = detail === undefined ? { reason } : { reason, detail };
      write(call.requestId, fields, 'a credential was refused');
    },
    noteFailed: (requestId, { kind, cause }) =>
      write(requestId, { kind, error: cause }, 'a provider gave no answer'),
    noteUnrecorded: (requestId, code) => write(requestId, { code }, 'a request was refused'),
  } satisfies Partial<GatewayDeps>;
}

/** The data plane, ready to serve. Throws if its limiter does not refuse what it must. */
export function composeGateway(ports: GatewayPorts): Gateway {
  const { threads, recorder, log, node, boot } = ports;
  const now = Date.now;
  const ids = createIds(now);
  const meter = createMeter({ now });
  selfTest(meter);
  const activeCalls = createActiveCalls();
  const commit = createCommit(threads.installation.indexKey);
  const { subjectKeys, ...sealed } = sealedPorts(ports, now, commit);
  const write = limitFailures(log, () => performance.now());
  const onError = (error: unknown, requestId?: RequestId): void => write(error, requestId, 'a part failed');
  const newEntryId = ids.entryId;
  const alerts = createAlerts({ record: recorder.record, newEntryId, now, node, boot, onError });
  const organizations = createOrganizations({
    threads,
    meter,
    now,
    onBudgetAlert: alerts.budget,
    onError,
    maxOrganizations: 1_000,
    onAdvance: (snapshot, changes) => {
      for (const { kind, id } of changes) if (kind === 'user') subjectKeys.forget(snapshot.orgId, id);
      activeCalls.review(snapshot);
    },
  });
  const refusals = composeRefusals(ports, now, ids.entryId, commit);
  const deps: GatewayDeps = {
    snapshots: organizations.snapshots,
    organizationOfKey: organizations.organizationOfKey,
    networksOf: organizations.networksOf,
    budgetsSettled: organizations.budgetsSettled,
    hashCredential: (text) => hash('sha256', text, 'hex'),
    verifyToken: (text) => ports.verifyToken(organizations, text),
    ...logNotes(log, refusals),
    recorder,
    meter,
    subjectKey: subjectKeys.get,
    commitments: createCommitments(),
    readText: createTextReader((text, into) => encoder.encodeInto(text, into).read),
    ...writtenBy(node, boot),
    ...sealed,
    newEntryId,
    now,
    clock: () => performance.now(),
    alerts,
    activeCalls,
    rounds: ports.rounds,
    onError,
    metrics: gatewayMetrics(ports.metrics, { activeCalls, recorder }),
    maxAnswerBytes,
  };
  return {
    deps,
    organizations,
    refusals,
    newRequestId: ids.requestId,
    onStep: organizations.snapshots.publish,
  };
}
