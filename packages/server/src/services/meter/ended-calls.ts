// Owns the calls that have ended and of whose use it is not known whether the records hold it.

import type { EntryId } from '@countersign/core/ids';
import type { CallDimensions } from '@countersign/core/metering/dimensions';
import { type Bag, type Bagged, createBag } from '../../platform/bag/bag.ts';

/** What a call used, until a reading of the records is sure to hold it. */
export type EndedCall = {
  readonly dims: CallDimensions;
  /** When it was reserved, in milliseconds since 1970. */
  readonly atMs: number;
  readonly nanos: number;
};

/** Where the outcome of an ended call stands in the log: on its way there, owed to it, or at a place. */
type Place =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'owed'; readonly intent: EntryId }
  | { readonly kind: 'recorded'; readonly index: number };

/** An ended call with its place, among the others of its organization. */
export type Ended = Bagged & { readonly call: EndedCall; place: Place };

/** The part of a reservation that is kept here: what it became when it ended. */
export type Ending = { readonly held: { ended: Ended | undefined } };

/** How far a reading of the records went. */
export type Reading = {
  /** Every outcome below this place of the log is in it, and no other. */
  readonly projected: number;
  /** Of the intents that were asked for, those whose outcome is in it. */
  readonly closed: readonly EntryId[];
};

export type EndedCalls = {
  readonly add: (reservation: Ending, call: EndedCall) => void;
  readonly recorded: (reservation: Ending, index: number) => void;
  readonly unrecorded: (reservation: Ending, intent: EntryId) => void;
  /** True when the records, as they are now, are sure to hold every call. */
  readonly isEmpty: () => boolean;
  /** From now until it is called, calls are kept although they are recorded: a reading may have missed them. */
  readonly keep: () => () => void;
  /** Intents of calls whose outcome could not be recorded, and may yet be: a reading has to ask for them. */
  readonly owed: () => readonly EntryId[];
  /** Resolves when no call waits that has ended up to now. */
  readonly placed: () => Promise<void>;
  /**
   * The calls that a reading lacks; undefined if it cannot be told, and the reading has to be repeated. `asked` are
   * the intents that it was asked for. To be called after `placed`, and to be acted on at once.
   */
  readonly missingFrom: (reading: Reading, asked: readonly EntryId[]) => readonly EndedCall[] | undefined;
};

type State = {
  readonly calls: Bag<Ended>;
  readonly waiters: Set<{ readonly left: Set<Ended>; readonly wake: () => void }>;
  keepers: number;
};

function putAt(state: State, ended: Ended | undefined, place: Place): void {
  if (ended === undefined || ended.slot < 0) return;
  ended.place = place;
  // The next reading begins with everything that is recorded now.
  if (place.kind === 'recorded' && state.keepers === 0) state.calls.remove(ended);
  for (const waiter of state.waiters) {
    waiter.left.delete(ended);
    if (waiter.left.size > 0) continue;
    state.waiters.delete(waiter);
    waiter.wake();
  }
}

function dropRecorded({ calls }: State): void {
  for (const ended of calls.items()) if (ended.place.kind === 'recorded') calls.remove(ended);
}

function placed({ calls, waiters }: State): Promise<void> {
  const left = new Set(calls.items().filter(({ place }) => place.kind === 'waiting'));
  if (left.size === 0) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  waiters.add({ left, wake: resolve });
  return promise;
}

/** False when it is missing; undefined when it cannot be told. */
function isIn({ projected, closed }: Reading, asked: readonly EntryId[], place: Place): boolean | undefined {
  switch (place.kind) {
    // It ended after the reading had come: its outcome was not even on its way.
    case 'waiting':
      return false;
    case 'recorded':
      return place.index < projected;
    case 'owed':
      return asked.includes(place.intent) ? closed.includes(place.intent) : undefined;
  }
}

function missingFrom(
  { calls }: State,
  reading: Reading,
  asked: readonly EntryId[],
): readonly EndedCall[] | undefined {
  const missing: EndedCall[] = [];
  for (const ended of calls.items()) {
    const isThere = isIn(reading, asked, ended.place);
    if (isThere === undefined) return undefined;
    if (!isThere) missing.push(ended.call);
    else if (ended.place.kind === 'owed') calls.remove(ended);
  }
  return missing;
}

/** The ended calls of one organization. */
export function createEndedCalls(): EndedCalls {
  const state: State = { calls: createBag(), waiters: new Set(), keepers: 0 };
  return {
    add({ held }, call) {
      held.ended = { call, place: { kind: 'waiting' }, slot: -1 };
      state.calls.add(held.ended);
    },
    recorded: ({ held }, index) => putAt(state, held.ended, { kind: 'recorded', index }),
    unrecorded: ({ held }, intent) => putAt(state, held.ended, { kind: 'owed', intent }),
    isEmpty: () => state.calls.size() === 0,
    keep() {
      state.keepers += 1;
      return () => {
        state.keepers -= 1;
        if (state.keepers === 0) dropRecorded(state);
      };
    },
    owed: () => state.calls.items().flatMap(({ place }) => (place.kind === 'owed' ? [place.intent] : [])),
    placed: () => placed(state),
    missingFrom: (reading, asked) => missingFrom(state, reading, asked),
  };
}
