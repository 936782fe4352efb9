// Owns the order in which the process stops: what closes when, how long each may take, and what did not finish.

import { AppError } from '@countersign/core/errors';

/**
 * In this order, one after the other: readiness fails; running requests end, while what comes is still answered; what
 * is buffered is written; listeners, files, databases and threads close. Closers of one phase run side by side.
 */
export const shutdownPhases = ['stop', 'drain', 'flush', 'close'] as const;
export type ShutdownPhase = (typeof shutdownPhases)[number];

export type Closer = {
  readonly name: string;
  readonly phase: ShutdownPhase;
  /** Milliseconds after which the next phase goes on without it. */
  readonly limitMs: number;
  /** The signal aborts when the limit has passed: give up what can be given up. */
  readonly close: (signal: AbortSignal) => void | Promise<void>;
};

export type Closed = {
  readonly name: string;
  readonly phase: ShutdownPhase;
  readonly outcome: 'closed' | 'failed' | 'timed_out';
  readonly ms: number;
  /** What `close` threw. */
  readonly error?: unknown;
};

export type ShutdownReport = {
  readonly reason: string;
  readonly ms: number;
  readonly closed: readonly Closed[];
  /** Names of those that failed or ran out of time. */
  readonly unfinished: readonly string[];
};

export type Shutdown = {
  /** Registers a closer. Throws `shutting_down` once stopping has begun: close what you opened yourself. */
  readonly add: (closer: Closer) => void;
  /** False from the moment at which stopping begins: `/readyz` says so, and balancers look elsewhere. */
  readonly isReady: () => boolean;
  /** Stops everything. Never rejects; a second call gets the first one's report. */
  readonly begin: (reason: string) => Promise<ShutdownReport>;
};

/** Runs one closer to its end or its limit. A closer that throws or hangs holds nobody else up. */
async function run(closer: Closer, now: () => number): Promise<Closed> {
  const { name, phase, limitMs } = closer;
  const started = now();
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<'timed_out'>((resolve) => {
    timer = setTimeout(() => {
      resolve('timed_out');
      abort.abort();
    }, limitMs);
  });
  try {
    const work = (async () => {
      await closer.close(abort.signal);
      return 'closed' as const;
    })();
    const outcome = await Promise.race([work, limit]);
    return { name, phase, outcome, ms: now() - started };
  } catch (error) {
    return { name, phase, outcome: 'failed', ms: now() - started, error };
  } finally {
    clearTimeout(timer);
  }
}

/** `now` gives milliseconds that never fall. */
export function createShutdown(now: () => number): Shutdown {
  const closers: Closer[] = [];
  let running: Promise<ShutdownReport> | undefined;

  async function stop(reason: string): Promise<ShutdownReport> {
    const started = now();
    const closed: Closed[] = [];
    for (const phase of shutdownPhases) {
      const due = closers.filter((closer) => closer.phase === phase);
      closed.push(...(await Promise.all(due.map((closer) => run(closer, now)))));
    }
    const unfinished = closed.filter(({ outcome }) => outcome !== 'closed').map(({ name }) => name);
    return { reason, ms: now() - started, closed, unfinished };
  }

  return {
    add: (closer) => {
      if (running !== undefined) {
        throw new AppError(
          'shutting_down',
          `\`${closer.name}\` was opened while the process stops; close it`,
        );
      }
      closers.push(closer);
    },
    isReady: () => running === undefined,
    begin: (reason) => {
      // INVARIANT: set before any closer runs, so that none of them sees a process that is ready.
      const begun = running ?? Promise.resolve().then(() => stop(reason));
      running = begun;
      return begun;
    },
  };
}
