// Owns the product's data plane without its ledger: a composition of the benchmark's own, because no setting can do it.

import { readFileSync } from 'node:fs';
import { composeGateway, type Gateway } from '@countersign/server/compose/gateway';
import { openStore } from '@countersign/server/compose/store';
import { logFaults } from '@countersign/server/compose/thread-faults';
import { loadConfig } from '@countersign/server/platform/config/load';
import { openClientPool } from '@countersign/server/platform/egress/client-pool';
import { createEgress } from '@countersign/server/platform/egress/egress';
import { createLog } from '@countersign/server/platform/log/log';
import { createRegistry } from '@countersign/server/platform/metrics/registry';
import { createRounds } from '@countersign/server/platform/rounds/rounds';
import type { Recorder } from '@countersign/server/services/ledger/recorder';
import type { Step } from '@countersign/server/services/snapshot/snapshots';

/** Says at once that an entry is durable, which is not true: what remains is the cost of everything else. */
function recordNothing(): Recorder {
  let next = 0;
  return {
    record: ({ version }) => {
      next += 1;
      return Promise.resolve({ kind: 'recorded', index: next, version });
    },
    pending: () => 0,
    idle: () => Promise.resolve(),
  };
}

export type WithoutLedger = {
  readonly config: ReturnType<typeof loadConfig>['config'];
  readonly gateway: Gateway;
  readonly close: () => Promise<void>;
};

/** Opens it over the store that the environment names, as the product's own start does. */
export async function openWithoutLedger(): Promise<WithoutLedger> {
  const { config } = loadConfig(process.env, (path) => readFileSync(path, 'utf8'));
  const log = createLog({ level: config.logLevel, base: { node: config.nodeName } });
  const missed: Step[] = [];
  const store = await openStore(config, {
    // Nothing changes while the benchmark runs.
    onStep: (step) => missed.push(step),
    onFault: logFaults(log),
    onDeath: (error) => log.fatal({ error }, 'a storage thread has ended'),
  });
  const gateway = composeGateway({
    threads: store.threads,
    recorder: recordNothing(),
    rounds: createRounds(setImmediate),
    pool: openClientPool({ egress: createEgress({ allow: config.egressAllow }) }),
    masterKeys: store.masterKeys.keys,
    verifyToken: () => Promise.resolve({ isRefused: true, reason: 'no_issuer' } as const),
    log,
    metrics: createRegistry(),
    node: config.nodeName,
    boot: store.boot,
  });
  for (const step of missed) gateway.onStep(step);
  return {
    config,
    gateway,
    close: async () => {
      await store.close(5_000);
    },
  };
}
