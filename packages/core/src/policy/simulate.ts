// Owns simulation: what a policy would have decided for past requests.

import type { CompiledPolicy } from './compile.ts';
import { decide } from './decide.ts';
import type { AnyRequest, Decision } from './types.ts';

export type Simulation = {
  /** In the order of the requests. */
  readonly decisions: readonly Decision[];
  readonly allowed: number;
  readonly denied: number;
  readonly requestable: number;
};

/** Decides each request under the policy. Pure: nothing is counted, recorded or forwarded. */
export function simulate(policy: CompiledPolicy, requests: readonly AnyRequest[]): Simulation {
  const decisions = requests.map((request) => decide(policy, request));
  const count = (outcome: Decision['outcome']): number =>
    decisions.filter((decision) => decision.outcome === outcome).length;
  return { decisions, allowed: count('allow'), denied: count('deny'), requestable: count('requestable') };
}
