// Owns the turns in which people arrive: those who come together are written together, and not without pause.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Role } from '@countersign/core/access/permissions';
import type { OrgId, TeamId, TokenIssuerId } from '@countersign/core/ids';
import type { TokenSnapshots } from './issuer-index.ts';

/** What the directory must be brought to. */
export type Arrival = {
  readonly issuerId: TokenIssuerId;
  /** The commitment to the subject. */
  readonly subject: string;
  readonly roles: readonly Role[];
  readonly teams: readonly TeamId[];
  readonly email?: string;
  readonly name?: string;
};

export type ArrivalDeps = {
  readonly snapshots: TokenSnapshots;
  /** Asks the writer, which refuses as `stale` what was decided under another version than its own. */
  readonly provision: (
    orgId: OrgId,
    version: number,
    people: readonly Arrival[],
  ) => Promise<{ readonly kind: 'stale' | 'done'; readonly version: number }>;
};

const mostAtOnce = 25;
/** Each turn makes a version, under which every decision on its way is taken again: they must find time to. */
const pauseMs = 25;

type Waiting = {
  readonly arrival: Arrival;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

/**
 * A function that resolves after a turn of the organization in which this arrival was asked for, whatever came
 * of it: the caller looks again. It rejects when the writer does.
 */
export function createTurns(deps: ArrivalDeps): (orgId: OrgId, arrival: Arrival) => Promise<void> {
  const queues = new Map<OrgId, Waiting[]>();

  async function turn(orgId: OrgId, waiting: readonly Waiting[]): Promise<void> {
    try {
      const snapshot = await deps.snapshots.get(orgId);
      const people = waiting.map(({ arrival }) => arrival);
      const { version } = await deps.provision(orgId, snapshot.version(), people);
      await deps.snapshots.catchUp(orgId, version);
      for (const { resolve } of waiting) resolve();
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  async function run(orgId: OrgId, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      await turn(orgId, queue.splice(0, mostAtOnce));
      await sleep(pauseMs);
    }
    queues.delete(orgId);
  }

  return (orgId, arrival) =>
    new Promise((resolve, reject) => {
      const waiting: Waiting = { arrival, resolve, reject };
      const queue = queues.get(orgId);
      if (queue !== undefined) {
        queue.push(waiting);
        return;
      }
      const started = [waiting];
      queues.set(orgId, started);
      void run(orgId, started);
    });
}
