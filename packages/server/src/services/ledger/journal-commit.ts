// Owns the commit of calls' entries on an embedded store, in the thread that serves: durable in the journal at once.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { createTurn } from '../../platform/db/turn.ts';
import { checkParameter } from '../../platform/db/values.ts';
import type { Journal } from '../../platform/journal/journal.ts';
import type { OrgBatch, OrgCommit } from './batch.ts';
import { createJournalGate, type JournalGate } from './journal-gate.ts';
import type { Appender, Standings } from './journal-hold.ts';
import { encodePayload, type PlacedBatch } from './journal-payload.ts';
import { type Placing, placeBatch, type Standing } from './place-batch.ts';
import type { RecorderDeps } from './recorder.ts';

/** The thread that moves heads, as far as commits need it. */
export type JournalFollower = {
  /** Commits past the journal, when everything in it is in the database. */
  readonly commit: RecorderDeps['commit'];
  /** Resolves when whatever is in the journal can be read in the database; rejects if it cannot be taken in. */
  readonly settle: () => Promise<unknown>;
  /** Where logs stand in the database. */
  readonly standings: (orgIds: readonly OrgId[]) => Promise<Standings>;
};

export type JournalCommitDeps = {
  readonly journal: Pick<Journal, 'append' | 'share'>;
  readonly follower: JournalFollower;
};

export type JournalCommit = Appender & {
  /** Waits until the journal was given for the first time. */
  readonly commit: RecorderDeps['commit'];
  /** Whether the database could take in what the journal holds, when that was tried last. */
  readonly follows: (isFollowing: boolean) => void;
  /** Refuses all further commits, for this reason; resolves when nothing is being appended. */
  readonly end: JournalGate['end'];
};

/** Bytes beyond which a frame goes into the database at once. */
const mostBytes = 1024 * 1024;
/** The part of the journal from which on it is taken in without waiting for the next time. */
const fullShare = 0.5;
const waitMs = 30_000;

/**
 * INVARIANT: whatever the database would refuse of a batch, however often it is tried, is refused before it is in the
 * journal, which could else never be taken in.
 */
function checkBeside({ sidecars, objects }: PlacedBatch): void {
  for (const { value } of sidecars) Object.values(value).forEach(checkParameter);
  for (const { value } of objects) Object.values(value).forEach(checkParameter);
}

type Staged = {
  readonly placings: readonly Placing[];
  readonly standings: ReadonlyMap<OrgId, Standing>;
  /** The frame's payload; undefined when nothing of the batches holds. */
  readonly payload: readonly Uint8Array[] | undefined;
};

/** Gives every batch its places behind where its log stands. */
function stage(batches: readonly OrgBatch[], standingOf: (orgId: OrgId) => Standing | undefined): Staged {
  const standings = new Map<OrgId, Standing>();
  const placings: Placing[] = [];
  for (const batch of batches) {
    const standing = standings.get(batch.orgId) ?? standingOf(batch.orgId);
    if (standing === undefined) throw new AppError('internal', 'a log was forgotten while it was written');
    const placing = placeBatch(batch, standing);
    const { placed, reply } = placing;
    standings.set(batch.orgId, { version: reply.version, size: placed.at + placed.count });
    placings.push(placing);
  }
  const kept = placings.flatMap(({ placed }) => (placed.count > 0 ? [placed] : []));
  kept.forEach(checkBeside);
  return { placings, standings, payload: kept.length === 0 ? undefined : encodePayload(kept) };
}

/** Where each log stands with all that the journal holds of it: asked for once, and then known. */
function createKnown(follower: JournalFollower) {
  const known = new Map<OrgId, Standing>();
  let notes = 0;
  return {
    get: (orgId: OrgId) => known.get(orgId),
    missing: (batches: readonly OrgBatch[]) =>
      batches.flatMap(({ orgId }) => (known.has(orgId) ? [] : [orgId])),
    /** Asks for some. What has been heard meanwhile may be newer than the answer, which is then let go. */
    async look(orgIds: readonly OrgId[]): Promise<void> {
      const before = notes;
      const found = await follower.standings(orgIds);
      for (const [orgId, standing] of found) {
        if (standing === undefined) throw new AppError('not_found', `there is no ledger for \`${orgId}\``);
        if (notes === before) known.set(orgId, standing);
      }
    },
    note(moved: Iterable<Standings[number]>): void {
      notes += 1;
      for (const [orgId, standing] of moved) {
        if (standing === undefined) known.delete(orgId);
        else known.set(orgId, standing);
      }
    },
  };
}

type Parts = JournalCommitDeps & {
  readonly gate: JournalGate;
  readonly known: ReturnType<typeof createKnown>;
};

/** Appends, when the journal is free and it is known where each log stands. Undefined: it could not take them. */
async function tryOnce(
  { gate, known, journal }: Parts,
  batches: readonly OrgBatch[],
): Promise<readonly OrgCommit[] | undefined> {
  for (;;) {
    await gate.free();
    const missing = known.missing(batches);
    if (missing.length > 0) await known.look(missing);
    // INVARIANT: from here to the append nobody else has a turn.
    else if (!gate.isHeld()) break;
  }
  const { placings, standings, payload } = stage(batches, known.get);
  const replies = placings.map(({ reply }) => reply);
  if (payload === undefined) return replies;
  if (payload.reduce((sum, { length }) => sum + length, 0) > mostBytes) return undefined;
  const isAppended = await gate.append(async () => {
    const isTaken = await journal.append(payload);
    // Before anybody else has the journal.
    if (isTaken) known.note(standings);
    return isTaken;
  });
  return isAppended ? replies : undefined;
}

/**
 * Commits whose entries are durable, and have their places, when they are in the journal. INVARIANT: whatever else
 * moves a head, a command above all, does so while it holds the journal, with everything in it taken in; so the order
 * of the journal is the order of the log, and where a log stands is known without asking the database.
 */
export function createJournalCommit(deps: JournalCommitDeps): JournalCommit {
  const { journal, follower } = deps;
  const gate = createJournalGate(waitMs);
  const known = createKnown(follower);
  const parts = { ...deps, gate, known };
  const turn = createTurn(waitMs);
  let isFollowed = true;
  let isHurrying = false;

  /** Asks for what is in the journal to be taken in now. */
  function hurry(): void {
    if (isHurrying) return;
    isHurrying = true;
    const done = (): void => {
      isHurrying = false;
    };
    follower.settle().then(done, done);
  }

  async function commitInTurn(batches: readonly OrgBatch[]): Promise<readonly OrgCommit[]> {
    if (!isFollowed) await follower.settle();
    const first = await tryOnce(parts, batches);
    if (first !== undefined) return first;
    await follower.settle();
    return (await tryOnce(parts, batches)) ?? follower.commit(batches);
  }

  return {
    async commit(batches) {
      await turn.take();
      const replies = await commitInTurn(batches).finally(turn.give);
      // An id that the provider gave out may be named by the next call.
      const mustBeSeen = batches.some(({ objects }) => objects.length > 0);
      // INVARIANT: the entries are durable; a database that cannot take them in now refuses the next ones.
      if (mustBeSeen) await follower.settle().catch(() => {});
      else if (journal.share() > fullShare) hurry();
      return replies;
    },
    hold: gate.hold,
    end: gate.end,
    resume(moved) {
      known.note(moved);
      gate.resume();
    },
    follows(isFollowing) {
      isFollowed = isFollowing;
    },
  };
}
