// Owns taking the journal's frames into the database: entries, tiles, heads, and what they leave in the records.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { decodeBundle } from '@countersign/core/ledger/tile';
import type { Journal } from '../../platform/journal/journal.ts';
import type { JournalPlace } from '../../platform/journal/marks.ts';
import type { Arena } from '../../platform/memory/arena.ts';
import type { Tx } from '../../stores/schema.ts';
import type { OrgBatch } from './batch.ts';
import type { DirectCommitter } from './committer.ts';
import { createJoiner, decodePayload } from './journal-payload.ts';
import { afterTurn, createPause, type Pause } from './pause.ts';
import type { Projection } from './projection.ts';

export type TakeInDeps = {
  readonly journal: Journal;
  readonly direct: DirectCommitter;
  readonly projection: Projection;
  /** Notes, in the same transaction, how far the journal is taken in. */
  readonly moveTo: (tx: Tx, place: JournalPlace) => Promise<void>;
  /** Memory of one step after the other. */
  readonly arena: Arena;
  /** Somebody waits for it. */
  readonly isAwaited: () => boolean;
};

/** About how many bytes of frames one transaction takes in. */
const stepBytes = 768 * 1024;

/** Memory for `TakeInDeps.arena`: the bundles of a step, which the last of its frames, if it is a usual one, goes beyond. */
export const arenaBytes = stepBytes + 128 * 1024;

type Logs = ReadonlyMap<OrgId, readonly OrgBatch[]>;

type Some = { readonly logs: Logs; readonly end: JournalPlace };

/** Frames from the journal's start on and before `until`, as much as one transaction takes in. */
function readSome({ journal, arena }: TakeInDeps, until: number): Some | undefined {
  if (journal.span().first >= until) return undefined;
  let frame = journal.read();
  // One of a former run, found when the journal was opened: its bytes were changed since, or the disk has lost them.
  // Whatever comes after it is kept where it is.
  if (frame === undefined) throw new AppError('internal', 'the journal has lost a frame that was durable');
  const joiner = createJoiner();
  let end = frame.next;
  for (let bytes = 0; frame !== undefined; frame = journal.read(end)) {
    for (const batch of decodePayload(frame.payload)) joiner.add(batch);
    bytes += frame.payload.length;
    end = frame.next;
    if (bytes >= stepBytes || end.sequence >= until) break;
  }
  arena.reset();
  return { logs: joiner.joined(arena.take), end };
}

/** The entries of batches that follow each other, one after the other. */
function* entriesOf(batches: readonly OrgBatch[]): Generator<Uint8Array> {
  for (const { bundle } of batches) yield* decodeBundle(bundle).entries;
}

/** Projects what each log gets. Returns what to call after the commit. */
async function project(
  projection: Projection,
  tx: Tx,
  logs: Logs,
  pause: Pause,
): Promise<readonly (() => void)[]> {
  const notes: (() => void)[] = [];
  for (const [orgId, batches] of logs) {
    const count = batches.reduce((sum, { versions }) => sum + versions.length, 0);
    const stored = { first: batches[0]?.at ?? 0, count, entries: entriesOf(batches) };
    const note = await projection.write(tx, orgId, stored, pause);
    if (note !== undefined) notes.push(note);
  }
  return notes;
}

async function takeSome(deps: TakeInDeps, { logs, end }: Some, isProjected: boolean): Promise<void> {
  const pause = createPause(deps.isAwaited);
  let notes: readonly (() => void)[] = [];
  await deps.direct.takeIn([...logs.values()].flat(), pause, async (tx) => {
    if (isProjected) notes = await project(deps.projection, tx, logs, pause);
    await deps.moveTo(tx, end);
  });
  // INVARIANT: nothing of the frames is used any more: sidecars lie in them until here.
  deps.journal.release(end);
  for (const note of notes) note();
}

/**
 * Takes in the frames that there are now, and none that come meanwhile: fewer, larger transactions cost less. Throws
 * what the storage throws; what was taken in before stays.
 */
export async function takeIn(deps: TakeInDeps): Promise<void> {
  const { next: until } = deps.journal.span();
  for (let some = readSome(deps, until); some !== undefined; some = readSome(deps, until)) {
    const next = some;
    // INVARIANT: records can be made anew from the log, and never keep entries from it.
    await takeSome(deps, next, true).catch(() => takeSome(deps, next, false));
    await afterTurn();
  }
}
