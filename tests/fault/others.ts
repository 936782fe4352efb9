// Owns the calls of others beside a fault, and the claim that they hardly notice it: p99 within 20 %.

import assert from 'node:assert/strict';
import type { Bed } from './bed.ts';
import { keepAlive, quantile } from './client.ts';

/** Calls one after the other of four clients for so long, each timed. Every one of them must be answered. */
export async function timeOthers(bed: Bed, prefix: string, forMs: number): Promise<readonly number[]> {
  const agent = keepAlive();
  const until = performance.now() + forMs;
  const times: number[] = [];
  const workers = Array.from({ length: 4 }, async (_, worker) => {
    for (let n = 0; performance.now() < until; n += 1) {
      const reply = await bed.ask({ marker: `${prefix}.${worker}.${n}`, isStream: worker % 2 === 0, agent });
      assert.equal(reply.isAnswered, true, `${reply.status} ${reply.text}`);
      times.push(reply.ms);
    }
  });
  await Promise.all(workers);
  agent.destroy();
  return times;
}

/** The times of one round: without the fault, and right after it beside the fault. */
export type Round = { readonly alone: readonly number[]; readonly beside: readonly number[] };

/** A p99 that rises less than a fifth; below 25 ms a timer and the collector are a fifth by themselves. */
function isHarmed({ alone, beside }: Round): boolean {
  const limit = Math.max(quantile(alone, 0.99) * 1.2, quantile(alone, 0.99) + 5);
  return quantile(beside, 0.99) >= limit;
}

/** The share of rounds of a second or two that seem harmed without any fault, on two busy cores. */
const noise = 0.3;

/** So many harmed rounds come by chance less than once in two hundred times; one round alone is held to the fifth. */
function tooMany(rounds: number): number {
  return Math.min(rounds, Math.ceil(rounds * noise + 2.6 * Math.sqrt(rounds * noise * (1 - noise))));
}

/**
 * The claim over rounds that take turns without and with the fault, so that a busy neighbour on the machine is in
 * both. A round of a second has a few hundred calls, of which the slowest few make its p99: without any fault it
 * differs by a third from one round to the next. So harm is what more rounds show than chance does: six of seven,
 * ten of fifteen. A p99 that doubles is seen in nearly all. Returns what was measured, in words.
 */
export function assertUnharmed(rounds: readonly Round[]): string {
  const middle = (side: keyof Round, share: number): number =>
    quantile(
      rounds.map((round) => quantile(round[side], share)),
      0.5,
    );
  const each = rounds
    .map((round) => `${quantile(round.alone, 0.99).toFixed(0)}->${quantile(round.beside, 0.99).toFixed(0)}`)
    .join(' ');
  const harmed = rounds.filter(isHarmed).length;
  const said =
    `others' p50 ${middle('alone', 0.5).toFixed(1)} -> ${middle('beside', 0.5).toFixed(1)} ms, p99 ` +
    `${middle('alone', 0.99).toFixed(1)} -> ${middle('beside', 0.99).toFixed(1)} ms (medians of ${rounds.length} rounds, ${harmed} harmed: ${each})`;
  assert.ok(harmed < tooMany(rounds.length), said);
  return said;
}
