// Owns taking the journal's frames into the database: entries, tiles, heads, and what they leave in the records.

import type { OrgId } from '@countersign/core/ids';
import { decodeBundle } from '@countersign/core/ledger/tile';
import type { Journal, JournalPlace } from '../../platform/journal/journal.ts';
import type { Tx } from '../../stores/schema.ts';
import type { OrgBatch } from './batch.ts';
import type { DirectCommitter } from './committer.ts';
import { decodePayload, joinBatches, type PlacedBatch } from './journal-payload.ts';
import { type Pause, type Projection, parseEntries } from './projection.ts';

export type TakeInDeps = {
  readonly journal: Journal;
  readonly direct: DirectCommitter;
  readonly projection: Projection;
  /** Notes, in the same transaction, how far the journal is taken in. */
  readonly moveTo: (tx: Tx, place: JournalPlace) => Promise<void>;
};

/** About how many bytes of frames one transaction takes in. */
const stepBytes = 1024 * 1024;
/** Milliseconds that it keeps the thread before whoever waits gets it. */
const stretchMs = 1;

const afterTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

function createPause(): Pause {
  let since = performance.now();
  return () => {
    if (performance.now() - since < stretchMs) return undefined;
    return afterTurn().then(() => {
      since = performance.now();
    });
  };
}

type Some = { readonly batches: readonly PlacedBatch[]; readonly end: JournalPlace };

/** Frames from the journal's start on, as much as one transaction takes in. */
function readSome(journal: Journal): Some | undefined {
  let frame = journal.read();
  if (frame === undefined) return undefined;
  const batches: PlacedBatch[] = [];
  let end = frame.next;
  for (let bytes = 0; frame !== undefined && bytes < stepBytes; frame = journal.read(end)) {
    batches.push(...decodePayload(frame.payload));
    bytes += frame.payload.length;
    end = frame.next;
  }
  return { batches, end };
}

/** Projects what each log gets. Returns what to call after the commit. */
async function project(
  projection: Projection,
  tx: Tx,
  logs: ReadonlyMap<OrgId, readonly OrgBatch[]>,
  pause: Pause,
): Promise<readonly (() => void)[]> {
  const notes: (() => void)[] = [];
  for (const [orgId, batches] of logs) {
    const entries = batches.flatMap(({ bundle }) => decodeBundle(bundle).entries);
    const placed = await parseEntries(entries, batches[0]?.at ?? 0, pause);
    const note = await projection.write(tx, orgId, placed, pause);
    if (note !== undefined) notes.push(note);
  }
  return notes;
}

async function takeSome(deps: TakeInDeps, { batches, end }: Some, isProjected: boolean): Promise<void> {
  const pause = createPause();
  const logs = joinBatches(batches);
  let notes: readonly (() => void)[] = [];
  await deps.direct.takeIn([...logs.values()].flat(), pause, async (tx) => {
    if (isProjected) notes = await project(deps.projection, tx, logs, pause);
    await deps.moveTo(tx, end);
  });
  deps.journal.release(end);
  for (const note of notes) note();
}

/** Takes in every frame that there is. Throws what the storage throws; what was taken in before stays. */
export async function takeIn(deps: TakeInDeps): Promise<void> {
  for (let some = readSome(deps.journal); some !== undefined; some = readSome(deps.journal)) {
    const next = some;
    // INVARIANT: records can be made anew from the log, and never keep entries from it.
    await takeSome(deps, next, true).catch(() => takeSome(deps, next, false));
    await afterTurn();
  }
}
