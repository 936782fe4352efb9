// Owns when checkpoints are pushed to an anchor: the newest of each log, at most once an interval, and again until it took them.

import type { Anchor } from '../upstreams/anchors/anchor.ts';

export type PushDeps = {
  readonly anchor: Anchor;
  /** Milliseconds from the beginning of one push to the next. */
  readonly intervalMs: number;
  /** Milliseconds that an anchor which takes nothing is left alone at most. */
  readonly mostPauseMs: number;
  /** Monotonic, in milliseconds. */
  readonly clock: () => number;
  /** From 0 to 1, so that many servers do not come back at once. */
  readonly random: () => number;
  /** Something was not taken: told once, until all was. */
  readonly onFailing: (error: unknown) => void;
  readonly onWorking: () => void;
  readonly count: (outcome: 'sent' | 'failed') => void;
};

type Grown = { readonly orgId: string; readonly checkpoint: string };

export type CheckpointPush = {
  /** Pushes these soon: of each log the newest alone is kept. Never throws, and is not waited for. */
  readonly note: (grown: readonly Grown[]) => void;
  /** Tries once more if something is left, for so long at most, and then no more. */
  readonly close: (limitMs: number) => Promise<void>;
};

/** How long an anchor is left alone after so many tries in a row at which it took nothing. */
function pauseAfter(failures: number, { intervalMs, mostPauseMs, random }: PushDeps): number {
  if (failures === 0) return intervalMs;
  const most = Math.min(intervalMs * 2 ** Math.min(failures, 30), mostPauseMs);
  return most * (0.5 + random() / 2);
}

/** What an anchor has not taken yet: one checkpoint a log. */
function createWaiting() {
  const waiting = new Map<string, string>();
  return {
    add: ({ orgId, checkpoint }: Grown): void => void waiting.set(orgId, checkpoint),
    all: (): readonly Grown[] => [...waiting].map(([orgId, checkpoint]) => ({ orgId, checkpoint })),
    isEmpty: (): boolean => waiting.size === 0,
    take({ orgId, checkpoint }: Grown): void {
      // A newer one may have come while this one was under way.
      if (waiting.get(orgId) === checkpoint) waiting.delete(orgId);
    },
    /** The others come first the next time: one that is never taken holds none of them up. */
    postpone({ orgId }: Grown): void {
      const newest = waiting.get(orgId);
      waiting.delete(orgId);
      if (newest !== undefined) waiting.set(orgId, newest);
    },
  };
}

type Waiting = ReturnType<typeof createWaiting>;

/** One push of all that waits, which never rejects; resolves with how long the anchor is left alone after it began. */
function createPush(deps: PushDeps, waiting: Waiting): (signal: AbortSignal) => Promise<number> {
  let isFailing = false;
  let failures = 0;

  async function push(all: readonly Grown[], signal: AbortSignal): Promise<void> {
    let taken = 0;
    const onTaken = (): void => {
      const grown = all[taken];
      if (grown !== undefined) waiting.take(grown);
      taken += 1;
      deps.count('sent');
    };
    try {
      const notes = all.map(({ checkpoint }) => checkpoint);
      await deps.anchor.push(notes, onTaken, signal);
      failures = 0;
    } catch (error) {
      failures = taken === 0 ? failures + 1 : 0;
      const refused = all[taken];
      if (refused !== undefined) waiting.postpone(refused);
      throw error;
    }
  }

  return async (signal) => {
    try {
      await push(waiting.all(), signal);
      if (isFailing) deps.onWorking();
      isFailing = false;
    } catch (error) {
      deps.count('failed');
      if (!isFailing) deps.onFailing(error);
      isFailing = true;
    }
    return pauseAfter(failures, deps);
  };
}

/** Starts pushing to the anchor. Nothing waits for it, and what it keeps is bounded by the number of logs. */
export function pushCheckpoints(deps: PushDeps): CheckpointPush {
  const { clock } = deps;
  const waiting = createWaiting();
  const push = createPush(deps, waiting);
  const closing = new AbortController();
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let dueAt = Number.NEGATIVE_INFINITY;

  async function run(): Promise<void> {
    const began = clock();
    dueAt = began + (await push(closing.signal));
    running = undefined;
    schedule();
  }

  function schedule(): void {
    if (isClosed || running !== undefined || timer !== undefined || waiting.isEmpty()) return;
    const start = (): void => {
      timer = undefined;
      running = run();
    };
    timer = setTimeout(start, Math.max(0, dueAt - clock())).unref();
  }

  return {
    note(grown) {
      grown.forEach(waiting.add);
      schedule();
    },
    async close(limitMs) {
      isClosed = true;
      clearTimeout(timer);
      const limit = setTimeout(() => closing.abort(), limitMs);
      await running;
      if (!waiting.isEmpty() && !closing.signal.aborted) await run();
      clearTimeout(limit);
    },
  };
}
