// Owns keeping `records` and `usage_daily` behind the log by at most a second; both can be made anew from it.

import { AppError } from '@countersign/core/errors';
import { isId, type OrgId } from '@countersign/core/ids';
import { decodeBundle } from '@countersign/core/ledger/tile';
import type { Kysely } from 'kysely';
import { type BuiltStatements, createBuilt } from '../../stores/built-statements.ts';
import { listClosedLogs } from '../../stores/closed-logs.ts';
import { nextBundles } from '../../stores/entries.ts';
import { listHeads, type Progress, readProgress, setProjected } from '../../stores/heads.ts';
import { clearRecords } from '../../stores/records.ts';
import type { Tables, Tx } from '../../stores/schema.ts';
import { afterTurn, neverPause } from './pause.ts';
import { createProjection, type Projection, type Stored } from './projection.ts';

export type Projector = {
  /** Projects everything that is committed of one log. */
  readonly drain: (orgId: OrgId) => Promise<void>;
  /** Projects every log that has moved. */
  readonly drainAll: () => Promise<void>;
  /** Makes the projection of a log anew from its entries. */
  readonly rebuild: (orgId: OrgId) => Promise<void>;
};

/** Bundles, and about how many entries, one transaction projects: commits wait for it. */
const bundlesPerStep = 8;
const entriesPerStep = 100;

/**
 * Runs the work on one log in turns. INVARIANT: a log is projected by one step at a time; on PostgreSQL two of them
 * would read the same entries.
 */
function createTurns(): (orgId: OrgId, work: () => Promise<void>) => Promise<void> {
  const last = new Map<OrgId, Promise<void>>();
  return (orgId, work) => {
    const turn = (last.get(orgId) ?? Promise.resolve()).then(work, work);
    last.set(orgId, turn);
    const leave = (): void => {
      if (last.get(orgId) === turn) last.delete(orgId);
    };
    turn.then(leave, leave);
    return turn;
  };
}

/** The next entries that are not projected yet. */
async function readNext(
  tx: Tx,
  orgId: OrgId,
  { projected }: Pick<Progress, 'projected'>,
  built: BuiltStatements,
): Promise<Stored> {
  const entries: Uint8Array[] = [];
  for (const bundle of await nextBundles(tx, orgId, projected, bundlesPerStep, built)) {
    if (entries.length >= entriesPerStep) break;
    entries.push(...decodeBundle(bundle.bytes).entries.slice(Math.max(0, projected - bundle.firstIndex)));
  }
  return { first: projected, count: entries.length, entries };
}

/** Whoever asks before a turn has begun shares it: a hundred who wait for a slow store wait for it once. */
function shareTurns(
  inTurn: ReturnType<typeof createTurns>,
  work: (orgId: OrgId) => Promise<void>,
): (orgId: OrgId) => Promise<void> {
  const queued = new Map<OrgId, Promise<void>>();
  return (orgId) => {
    const next = queued.get(orgId);
    if (next !== undefined) return next;
    const turn = inTurn(orgId, () => {
      queued.delete(orgId);
      return work(orgId);
    });
    queued.set(orgId, turn);
    return turn;
  };
}

/** Throws a log's projection away. */
async function clearProjection(db: Kysely<Tables>, orgId: OrgId): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const head = await readProgress(tx, orgId);
    if (head === undefined) return;
    // Usage is counted across logs that follow each other, and would be counted twice.
    if ((await listClosedLogs(tx, orgId)).length > 0)
      throw new AppError('conflict', 'the projection of a log that continues another is not made anew');
    await clearRecords(tx, orgId);
    await setProjected(tx, orgId, { from: head.projected, to: 0 });
  });
}

/** The projector over the writer's connection. */
export function createProjector(
  db: Kysely<Tables>,
  built: BuiltStatements = createBuilt(),
  projection: Projection = createProjection(built),
): Projector {
  /** Returns whether the log has more. */
  async function step(orgId: OrgId): Promise<boolean> {
    const done = await db.transaction().execute(async (tx) => {
      const head = await readProgress(tx, orgId, built);
      if (head === undefined || head.projected >= head.size) return undefined;
      const stored = await readNext(tx, orgId, head, built);
      if (stored.count === 0) throw new AppError('internal', 'the ledger has lost entries that it counts');
      const note = await projection.write(tx, orgId, stored, neverPause);
      return { note, isBehind: stored.first + stored.count < head.size };
    });
    done?.note?.();
    return done?.isBehind ?? false;
  }

  const inTurn = createTurns();

  async function project(orgId: OrgId): Promise<void> {
    // Commits that have arrived meanwhile come first.
    while (await step(orgId)) await afterTurn();
  }

  const drain = shareTurns(inTurn, project);

  return {
    drain,
    async drainAll() {
      for (const head of await listHeads(db)) {
        if (head.projected < head.size && isId('org', head.org_id)) await drain(head.org_id);
      }
    },
    rebuild: (orgId) =>
      inTurn(orgId, async () => {
        await clearProjection(db, orgId);
        await project(orgId);
      }),
  };
}
