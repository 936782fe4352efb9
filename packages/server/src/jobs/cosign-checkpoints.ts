// Owns when witnesses are asked: in rounds, each witness by itself, all of them about the same checkpoint of a log.

import type { OrgId } from '@countersign/core/ids';
import type { CosignTarget, Lane, LogSize } from '../services/witnesses/witness-lane.ts';

export type CosigningDeps = {
  readonly lanes: readonly Lane[];
  /** Every log of the installation. */
  readonly logs: () => Promise<readonly LogSize[]>;
  readonly targetOf: (orgId: OrgId) => Promise<CosignTarget>;
  readonly everyMs: number;
  /** From 0 to 1: installations that started together do not ask together. */
  readonly random: () => number;
  /** Hears after each round, and when a lane has ended. */
  readonly onChange: () => void;
  readonly onError: (error: unknown) => void;
  /** Gives up what is sent. */
  readonly abort: () => void;
};

export type Cosigning = {
  /** Asks once more, for `limitMs` milliseconds at most, then ends. Never rejects. */
  readonly stop: (limitMs: number) => Promise<void>;
};

/** Begins with a round at once. No round waits for a witness: one that is still busy is left out. */
export function startCosigning(deps: CosigningDeps): Cosigning {
  const running = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;

  function track(work: Promise<void>): void {
    const tracked = work.finally(() => {
      running.delete(tracked);
      deps.onChange();
    });
    running.add(tracked);
  }

  async function round(): Promise<void> {
    try {
      const logs = await deps.logs();
      const targets = new Map<OrgId, Promise<CosignTarget>>();
      const targetOf = (orgId: OrgId): Promise<CosignTarget> => {
        const target = targets.get(orgId) ?? deps.targetOf(orgId);
        targets.set(orgId, target);
        return target;
      };
      for (const lane of deps.lanes) track(lane.run(logs, targetOf));
    } catch (error) {
      deps.onError(error);
    }
    deps.onChange();
  }

  function next(): void {
    const jitter = 0.9 + deps.random() / 5;
    timer = setTimeout(() => {
      next();
      track(round());
    }, deps.everyMs * jitter).unref();
  }

  track(round());
  next();
  return {
    async stop(limitMs) {
      clearTimeout(timer);
      const limit = setTimeout(() => {
        for (const lane of deps.lanes) lane.stop();
        deps.abort();
      }, limitMs);
      track(round());
      // A lane begins within a round, so there may be more of them than at first.
      while (running.size > 0) await Promise.all(running);
      clearTimeout(limit);
      for (const lane of deps.lanes) lane.stop();
    },
  };
}
