// Owns the data plane's metrics: what was decided, how calls ended, what is under way.

import type { ActiveCalls } from '../gateway/active-calls.ts';
import type { GatewayMetrics } from '../gateway/deps.ts';
import type { Registry } from '../platform/metrics/registry.ts';
import type { Recorder } from '../services/ledger/recorder.ts';

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

type Counter = { readonly inc: () => void };

function kept<T>(known: Map<string, T>, name: string, make: () => T): T {
  const value = known.get(name);
  if (value !== undefined) return value;
  const made = make();
  known.set(name, made);
  return made;
}

/** Registers the data plane's metrics and returns the way to count in them. */
export function gatewayMetrics(
  registry: Registry,
  observed: { readonly activeCalls: ActiveCalls; readonly recorder: Recorder },
): GatewayMetrics {
  const decisions = registry.counter({
    name: 'countersign_decisions_total',
    help: 'recorded decisions',
    labels: ['outcome', 'endpoint'],
  });
  const calls = registry.counter({
    name: 'countersign_calls_total',
    help: 'calls with a recorded outcome',
    labels: ['status'],
  });
  const duration = registry
    .histogram({
      name: 'countersign_call_seconds',
      help: 'from a call’s head to its recorded outcome',
      buckets: seconds,
    })
    .with({});
  const refused = registry.counter({
    name: 'countersign_refusals_total',
    help: 'refusals sent',
    labels: ['code'],
  });
  registry.observed({
    name: 'countersign_active_calls',
    help: 'calls at a provider',
    read: () => observed.activeCalls.count(),
  });
  registry.observed({
    name: 'countersign_ledger_pending_entries',
    help: 'entries that wait for their commit',
    read: () => observed.recorder.pending(),
  });
  // Finding a child by its labels costs more than counting in it; outcomes, endpoints and statuses are few.
  const decided = new Map<string, Map<string, Counter>>();
  const finished = new Map<string, Counter>();
  const newChildren = () => new Map<string, Counter>();
  return {
    decided: (outcome, endpoint) =>
      kept(kept(decided, outcome, newChildren), endpoint, () => decisions.with({ outcome, endpoint })).inc(),
    finished: (status, took) => {
      kept(finished, status, () => calls.with({ status })).inc();
      duration.observe(took);
    },
    refused: (error) => refused.with({ code: error.code }).inc(),
  };
}
