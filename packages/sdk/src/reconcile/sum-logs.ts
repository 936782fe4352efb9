// Owns the calls of several logs as one: each call once, also where two exports of one log have it.

import { type CallOutcome, decodeEntry } from '@countersign/core/ledger/entry';
import { readAttempts, type SentAttempt } from '@countersign/core/metering/reconcile/read-attempts';
import type { AttemptSums } from '@countersign/core/metering/reconcile/sum-attempts';
import { commonBeginning, type SizedExport } from '../ledger/common-beginning.ts';
import type { Progress } from '../ledger/progress.ts';
import { entryTexts } from '../ledger/read-entries.ts';

/** A verified export, and the origin that it was verified under. */
export type LogToSum = SizedExport & { readonly origin: string };

/** How many entries an export begins with that another one of the same log has too, and which is counted for both. */
export type Shared = { readonly size: number; readonly with: number };

export type Summed = {
  readonly byProvider: ReadonlyMap<string, AttemptSums>;
  /** The times of the first and the newest entry of all. */
  readonly from: string;
  readonly to: string;
  /** Entries that cannot be read, and outcomes that close no call. */
  readonly unreadable: number;
  /** For each log, in the order in which they were given; undefined where it shares nothing. */
  readonly shared: readonly (Shared | undefined)[];
};

type State = {
  readonly add: (sent: SentAttempt) => void;
  from: string;
  to: string;
  unreadable: number;
};

/** A call as one log tells it; `known` says how well. */
type Version = { readonly sent: SentAttempt; readonly known: number };

type Place = { readonly log: LogToSum; readonly at: number; readonly shared: Shared | undefined };

type Kind = SentAttempt['attempt']['kind'];

const knownBy: { readonly [K in Kind]: number } = { told: 4, estimated: 3, untold: 2 };

/** How well an outcome knows its call: best where the provider told, least where it was written after a crash. */
function knownOf(kind: Kind, status: CallOutcome['status']): number {
  return status === 'unknown' ? 1 : knownBy[kind];
}

type Take = {
  /** Gets the calls that are closed, with the place of the entry that does, and at the end those that are open. */
  readonly call: (version: Version, place: number | undefined) => void;
  /** Entries before this place were looked at already: of them only the calls are followed. */
  readonly from: number;
  readonly onEntries: (done: number) => void;
};

function readLog(state: State, { source, size }: LogToSum, { call, from, onEntries }: Take): void {
  const reader = readAttempts();
  let place = -1;
  for (const text of entryTexts(source, size, onEntries)) {
    place += 1;
    const decoded = decodeEntry(text);
    const unreadable = place < from ? 0 : 1;
    if (!decoded.ok) {
      state.unreadable += unreadable;
      continue;
    }
    const { entry } = decoded;
    if (state.from === '' || entry.ts < state.from) state.from = entry.ts;
    if (entry.ts > state.to) state.to = entry.ts;
    const sent = reader.take(entry);
    if (entry.type !== 'model_call' || entry.phase !== 'outcome') continue;
    if (sent === undefined) state.unreadable += unreadable;
    else call({ sent, known: knownOf(sent.attempt.kind, entry.status) }, place);
  }
  for (const sent of reader.open()) call({ sent, known: 0 }, undefined);
}

/** Which exports of one log have entries that no larger one has, and what each shares with one that is counted. */
function placesOf(logs: readonly { readonly log: LogToSum; readonly at: number }[]): readonly Place[] {
  const places: Place[] = [];
  for (const { log, at } of logs.toSorted((a, b) => b.log.size - a.log.size)) {
    let shared: Shared | undefined;
    for (const counted of places) {
      const size = commonBeginning(log, counted.log);
      if (size > (shared?.size ?? 0)) shared = { size, with: counted.at };
    }
    places.push({ log, at, shared });
  }
  return places;
}

/**
 * The exports of one log. One that another begins with adds nothing. Of two that part, as after a restore that nobody
 * noticed, the calls of both count; one that was open where they part counts once, as it is known best.
 */
function sumForks(
  state: State,
  places: readonly Place[],
  onEntries: (log: LogToSum, done: number) => void,
): void {
  const counted = places.filter(({ log, shared }) => shared === undefined || shared.size < log.size);
  const parting = Math.min(...counted.slice(1).map(({ shared }) => shared?.size ?? 0), Infinity);
  const versions = new Map<string, Version>();
  for (const [i, { log, shared }] of counted.entries()) {
    readLog(state, log, {
      from: i === 0 ? 0 : (shared?.size ?? 0),
      onEntries: (done) => onEntries(log, done),
      call: (version, place) => {
        const { sent, known } = version;
        if (place !== undefined && place < parting) {
          if (i === 0) state.add(sent);
        } else if (known > (versions.get(sent.intent)?.known ?? -1)) versions.set(sent.intent, version);
      },
    });
  }
  for (const { sent } of versions.values()) state.add(sent);
}

/** Sums the calls of logs of one owner by provider. Where one log is given once, memory grows with days and models alone. */
export function sumLogs(
  logs: readonly LogToSum[],
  newSums: () => AttemptSums,
  progress: Progress | undefined,
): Summed {
  const byProvider = new Map<string, AttemptSums>();
  const add = ({ provider, attempt }: SentAttempt): void => {
    const sums = byProvider.get(provider) ?? newSums();
    byProvider.set(provider, sums);
    sums.add(attempt);
  };
  const state: State = { add, from: '', to: '', unreadable: 0 };
  const shared = new Map<number, Shared | undefined>();
  const numbered = logs.map((log, at) => ({ log, at }));
  for (const group of Map.groupBy(numbered, ({ log }) => log.origin).values()) {
    const places = placesOf(group);
    for (const place of places) shared.set(place.at, place.shared);
    sumForks(state, places, ({ size }, done) => progress?.('summing', done, size));
  }
  const { from, to, unreadable } = state;
  return { byProvider, from, to, unreadable, shared: logs.map((_, at) => shared.get(at)) };
}
