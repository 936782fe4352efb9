// Owns the calls that a thread has not answered yet: their promises, time-outs and count.

import { AppError } from '@countersign/core/errors';
import { createDeadlines, type Deadline } from '../deadlines/deadlines.ts';

// Methods, so that a promise of a narrower type may be settled with what the message says that it is.
type Waiter = {
  resolve(value: unknown): void;
  reject(error: AppError): void;
  readonly deadline: Deadline;
};

/** A place for one call. `waiter` is undefined once the call was given up: it counts until it is answered. */
type Place = { readonly id: number; readonly waiter: Waiter | undefined };

export type PendingCalls = {
  /** A number for a new call, and a promise for its answer, given up after the time-out. */
  readonly add: <Reply>() => { readonly id: number; readonly answer: Promise<Reply> };
  readonly resolve: (id: number, value: unknown) => void;
  readonly reject: (id: number, error: AppError) => void;
  readonly rejectAll: (error: AppError) => void;
  /** Calls that the other end still works on, those given up included. */
  readonly count: () => number;
  /** Resolves as soon as the count is 0. */
  readonly idle: () => Promise<void>;
};

function timedOut(thread: string): AppError {
  return new AppError('storage_unavailable', `the ${thread} thread did not answer in time: retry shortly`, {
    retryAfterSeconds: 1,
  });
}

/** Calls that can be pending at the same time: the last part of a call's number is its place. */
const mostPlaces = 65_536;

/**
 * Places for calls, used again and again. A Map would do the same, but its past would keep answered calls, and all
 * that their promises lead to, alive until a full collection (platform/bag/bag.ts).
 */
function createPlaces() {
  const places: (Place | undefined)[] = [];
  const free: number[] = [];
  let count = 0;
  let last = 0;
  return {
    take(): number {
      const place = free.pop() ?? places.push(undefined) - 1;
      if (place >= mostPlaces) throw new AppError('overloaded', 'too many calls wait for a thread');
      count += 1;
      last += 1;
      return last * mostPlaces + place;
    },
    put(id: number, waiter: Waiter | undefined): void {
      places[id % mostPlaces] = { id, waiter };
    },
    find(id: number): Place | undefined {
      const place = places[id % mostPlaces];
      return place?.id === id ? place : undefined;
    },
    leave(id: number): void {
      places[id % mostPlaces] = undefined;
      free.push(id % mostPlaces);
      count -= 1;
    },
    ids: (): readonly number[] => places.flatMap((place) => (place === undefined ? [] : [place.id])),
    count: () => count,
  };
}

/** An empty table of calls to the named thread; `timeoutMs` is in milliseconds. */
export function createPendingCalls(thread: string, timeoutMs: number): PendingCalls {
  const places = createPlaces();
  const deadlines = createDeadlines();
  const waiting = new Set<() => void>();

  /** Ends a call; undefined if it had ended before, or nobody waits any more. */
  function take(id: number): Waiter | undefined {
    const place = places.find(id);
    if (place === undefined) return undefined;
    place.waiter?.deadline.cancel();
    places.leave(id);
    return place.waiter;
  }

  function wake(): void {
    if (places.count() > 0) return;
    for (const resolve of waiting) resolve();
    waiting.clear();
  }

  function reject(id: number, error: AppError): void {
    take(id)?.reject(error);
    wake();
  }

  /** INVARIANT: a call that was given up counts until it is answered, or a slow thread would be handed ever more. */
  function giveUp(id: number): void {
    const waiter = places.find(id)?.waiter;
    places.put(id, undefined);
    waiter?.reject(timedOut(thread));
  }

  return {
    add<Reply>() {
      const id = places.take();
      const { promise, resolve, reject: rejectCall } = Promise.withResolvers<Reply>();
      places.put(id, { resolve, reject: rejectCall, deadline: deadlines.after(timeoutMs, () => giveUp(id)) });
      return { id, answer: promise };
    },
    resolve(id, value) {
      take(id)?.resolve(value);
      wake();
    },
    reject,
    rejectAll(error) {
      for (const id of places.ids()) take(id)?.reject(error);
      wake();
    },
    count: places.count,
    idle: () => (places.count() === 0 ? Promise.resolve() : new Promise((resolve) => waiting.add(resolve))),
  };
}
