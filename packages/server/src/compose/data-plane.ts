// Owns the running data plane: its connections, recorder and calls, and the order in which they end.

import { serveCall } from '../gateway/serve-call.ts';
import type { Config } from '../platform/config/schema.ts';
import { openClientPool } from '../platform/egress/client-pool.ts';
import type { Egress } from '../platform/egress/egress.ts';
import type { Log } from '../platform/log/log.ts';
import type { Registry } from '../platform/metrics/registry.ts';
import { createRounds } from '../platform/rounds/rounds.ts';
import type { Shutdown } from '../platform/shutdown/shutdown.ts';
import { createOwingRecorder, type OwingRecorder } from '../services/ledger/owed.ts';
import { createRecorder } from '../services/ledger/recorder.ts';
import { type CallsUnderWay, trackCalls } from './calls-under-way.ts';
import { composeGateway, type Gateway } from './gateway.ts';
import { createLedgerHealth, type LedgerHealth } from './ledger-health.ts';
import type { Store } from './store.ts';
import { composeTokens } from './tokens.ts';

export type DataPlane = {
  readonly gateway: Gateway;
  readonly calls: CallsUnderWay;
  readonly health: LedgerHealth;
};

export type DataPlaneParts = {
  readonly config: Config;
  readonly store: Store;
  readonly egress: Egress;
  readonly metrics: Registry;
  readonly log: Log;
  readonly shutdown: Shutdown;
};

const refusalsMs = 1_000;
const owedMs = 1_000;
const closeMs = 15_000;
/** Calls under way from which on the processor is what they wait for: half as many commits cost them less than waiting. */
const crowd = 30;

function openRecorder(
  { store, log }: DataPlaneParts,
  health: LedgerHealth,
  underWay: () => number,
): OwingRecorder {
  const recorder = createRecorder({
    commit: (batches) => store.threads.commit(batches),
    maxBatch: 256,
    maxWaiting: 20_000,
    gatherMs: (underWay) => (underWay > crowd ? 4 : 2),
    underWay,
    onCommit: health.onCommit,
    onFailure: health.onFailure,
  });
  return createOwingRecorder({
    recorder,
    closeOwed: (orgId, owed) => store.threads.writer.call('closeOwed', { orgId, owed }),
    onError: (error) =>
      log.warn({ error }, 'outcomes are owed to the ledger: they follow when it can be written'),
    maxOwed: 20_000,
  });
}

/** Writes once a second what is owed to the ledger, and once more when no call runs any more. */
function settleOwed(recorder: OwingRecorder, calls: CallsUnderWay, shutdown: Shutdown): void {
  const timer = setInterval(() => void recorder.settle(), owedMs);
  shutdown.add({
    name: 'ledger',
    phase: 'flush',
    limitMs: closeMs,
    close: async () => {
      clearInterval(timer);
      await calls.ended();
      await recorder.idle();
      await recorder.settle();
    },
  });
}

/** Records once a second what was refused for its credential, and once more when the server drains. */
function recordRefusals({ refusals }: Gateway, { log, shutdown }: DataPlaneParts): void {
  const timer = setInterval(
    () => refusals.flush().catch((error: unknown) => log.error({ error }, 'refusals were not recorded')),
    refusalsMs,
  );
  shutdown.add({
    name: 'refused credentials',
    phase: 'drain',
    limitMs: closeMs,
    close: async () => {
      clearInterval(timer);
      await refusals.flush();
    },
  });
}

/** Composes the data plane over an open store. `shutdown` learns how to end each part. */
export function composeDataPlane(parts: DataPlaneParts): DataPlane {
  const { config, store, egress, metrics, log, shutdown } = parts;
  const { threads, boot, masterKeys } = store;
  const pool = openClientPool({ egress });
  shutdown.add({ name: 'upstream connections', phase: 'close', limitMs: closeMs, close: () => pool.close() });
  const rounds = createRounds(setImmediate);
  const health = createLedgerHealth({
    log,
    clock: () => performance.now(),
    probe: () => threads.writer.call('probe', null),
  });
  shutdown.add({ name: 'ledger health', phase: 'close', limitMs: closeMs, close: async () => health.stop() });
  const recorder = openRecorder(parts, health, rounds.underWay);
  const verifyToken = composeTokens({
    threads,
    fetchDocument: egress.fetchDocument,
    log,
    now: Date.now,
    clock: () => performance.now(),
  });
  const gateway = composeGateway({
    threads,
    recorder,
    rounds,
    pool,
    masterKeys: masterKeys.keys,
    verifyToken,
    log,
    metrics,
    node: config.nodeName,
    boot,
  });
  const calls = trackCalls(serveCall(gateway.deps), gateway.deps.activeCalls);
  settleOwed(recorder, calls, shutdown);
  recordRefusals(gateway, parts);
  return { gateway, calls, health };
}
