// Owns the publish pipeline's outside: runs the check in a worker thread, bounded in time, memory and number.

import { Worker } from 'node:worker_threads';
import { AppError } from '@countersign/core/errors';
import { type PolicyCheckResult, type PolicyProblem, policyCheckResult } from './publish-types.ts';

export type PolicyCheckLimits = {
  /** The whole check, the thread's start included. */
  readonly timeoutMs: number;
  /** The thread's JavaScript heap. */
  readonly heapMegabytes: number;
  /** Checks that run at the same time; further ones wait. */
  readonly concurrent: number;
  /** Checks that may wait; further ones are refused as `overloaded`. */
  readonly waiting: number;
};

export const defaultPolicyCheckLimits = {
  timeoutMs: 20_000,
  heapMegabytes: 256,
  concurrent: 1,
  waiting: 16,
} as const satisfies PolicyCheckLimits;

/** What a text may name of an organization's own. */
export type KnownNames = { readonly labels: readonly string[]; readonly models: readonly string[] };

export type PolicyChecker = {
  /**
   * Checks a Cedar text for one organization, with the labels of its own classifiers and the names of its models:
   * parse, validate against the schema, compile, compare with Cedar. Never installs anything. Throws AppError `overloaded` when too
   * many wait, `shutting_down` after `close`, `internal` if the thread itself fails.
   */
  readonly check: (text: string, known: KnownNames) => Promise<PolicyCheckResult>;
  /** Ends running checks; resolves when their threads are gone. */
  readonly close: () => Promise<void>;
};

export type PolicyCheckerDeps = { readonly limits: PolicyCheckLimits; readonly randomSeed: () => number };

function refusal(message: string, help: string): PolicyCheckResult {
  return { ok: false, problems: [{ line: 1, column: 1, message, help }] };
}

function isOutOfMemory(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

function startWorker(text: string, { labels, models }: KnownNames, deps: PolicyCheckerDeps): Worker {
  return new Worker(new URL('./publish-worker.ts', import.meta.url), {
    workerData: { text, labels: [...labels], models: [...models], seed: deps.randomSeed() },
    // The thread reads no configuration and no secret.
    env: {},
    execArgv: [],
    resourceLimits: {
      maxOldGenerationSizeMb: deps.limits.heapMegabytes,
      maxYoungGenerationSizeMb: 32,
      stackSizeMb: 4,
    },
  });
}

function outcomeOf(worker: Worker, timeoutMs: number): Promise<PolicyCheckResult> {
  const { promise, resolve, reject } = Promise.withResolvers<PolicyCheckResult>();
  const timer = setTimeout(() => {
    const seconds = timeoutMs / 1000;
    resolve(
      refusal(`the check took longer than ${seconds} s`, 'split large rules, or use groups instead of lists'),
    );
  }, timeoutMs);
  worker.on('message', (message: unknown) => {
    const parsed = policyCheckResult.safeParse(message);
    if (parsed.success) resolve(parsed.data);
    else reject(new AppError('internal', 'the policy check gave no result', { cause: parsed.error }));
  });
  worker.on('error', (error) => {
    if (error instanceof Error && isOutOfMemory(error)) {
      resolve(
        refusal('the check needed too much memory', 'split large rules, or use groups instead of lists'),
      );
    } else reject(new AppError('internal', 'the policy check failed', { cause: error }));
  });
  worker.on('exit', () => reject(new AppError('internal', 'the policy check ended without a result')));
  return promise.finally(() => clearTimeout(timer));
}

/** The same without its place: `message (help)`. */
export function wordsOf({ message, help }: Pick<PolicyProblem, 'message' | 'help'>): string {
  return help === undefined ? message : `${message} (${help})`;
}

/** One line for each problem or warning: `3:14 message (help)`. */
export function problemText({ line, column, message, help }: PolicyProblem): string {
  return `${line}:${column} ${wordsOf({ message, help })}`;
}

/** Opens a checker. It holds no thread while nothing is checked. */
export function openPolicyChecker(deps: PolicyCheckerDeps): PolicyChecker {
  const { limits } = deps;
  const running = new Set<Worker>();
  const queue: (() => void)[] = [];
  let slots = limits.concurrent;
  let isClosed = false;

  async function acquire(): Promise<void> {
    if (slots > 0) {
      slots -= 1;
      return;
    }
    if (queue.length >= limits.waiting) {
      throw new AppError('overloaded', 'too many policies are being checked, try again later');
    }
    await new Promise<void>((resolve) => queue.push(resolve));
  }

  function release(): void {
    const next = queue.shift();
    if (next === undefined) slots += 1;
    else next();
  }

  async function run(text: string, known: KnownNames): Promise<PolicyCheckResult> {
    if (isClosed) throw new AppError('shutting_down', 'the server is shutting down, try again later');
    const worker = startWorker(text, known, deps);
    running.add(worker);
    try {
      return await outcomeOf(worker, limits.timeoutMs);
    } finally {
      running.delete(worker);
      await worker.terminate();
    }
  }

  return {
    check: async (text, known) => {
      await acquire();
      try {
        return await run(text, known);
      } finally {
        release();
      }
    },
    close: async () => {
      isClosed = true;
      await Promise.all([...running].map((worker) => worker.terminate()));
    },
  };
}
