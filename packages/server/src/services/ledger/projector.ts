// Owns keeping `records` and `usage_daily` behind the log by at most a second; both can be made anew from it.

import { AppError } from '@countersign/core/errors';
import { isId, type OrgId } from '@countersign/core/ids';
import { type Entry, entrySchema } from '@countersign/core/ledger/entry';
import { decodeBundle } from '@countersign/core/ledger/tile';
import type { Kysely } from 'kysely';
import type { DirectRun } from '../../platform/db/sqlite-driver.ts';
import { writeKeyUses } from '../../stores/bookkeeping.ts';
import { type BuiltStatements, createBuilt } from '../../stores/built-statements.ts';
import { nextBundles } from '../../stores/entries.ts';
import { listHeads, type Progress, readProgress, setProjected } from '../../stores/heads.ts';
import { blockRecords, describeBlock } from '../../stores/record-blocks.ts';
import { clearRecords, completeRecord, insertRecords, type RecordRow } from '../../stores/records.ts';
import type { Tables, Tx } from '../../stores/schema.ts';
import { addUsage } from '../../stores/usage.ts';
import { isOutcome, outcomeColumn, type Placed, rowOf, sumUsage, usageOf } from './record-rows.ts';

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
/** Blocks that a step describes at most: after a migration there are many to catch up on. */
const blocksPerStep = 4;

const minuteMs = 60_000;

/** Our own committed bytes, which `decodeEntry` has held to the schema when they were written. */
function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && 'v' in value && value.v === 1 && 'type' in value;
}

function parseEntry(bytes: Uint8Array): Entry {
  const value: unknown = JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
  );
  if (isEntry(value)) return value;
  return entrySchema.parse(value);
}

type Late = {
  readonly intent: string;
  readonly outcomeIndex: number;
  readonly status: string;
  readonly outcome: string;
};
type Merged = { readonly rows: readonly RecordRow[]; readonly late: readonly Late[] };

/** Outcomes whose intents are in the same step complete them in memory: most calls are one insert. */
function merge(placed: readonly Placed[]): Merged {
  const rows = new Map<string, RecordRow>();
  const late: Late[] = [];
  for (const item of placed) {
    const row = rowOf(item);
    if (row !== undefined) {
      rows.set(row.id, row);
      continue;
    }
    if (!isOutcome(item.entry)) continue;
    const done = { outcomeIndex: item.index, status: item.entry.status, outcome: outcomeColumn(item.entry) };
    const open = rows.get(item.entry.intent);
    if (open === undefined) late.push({ intent: item.entry.intent, ...done });
    else
      rows.set(open.id, {
        ...open,
        outcome_index: done.outcomeIndex,
        status: done.status,
        outcome: done.outcome,
      });
  }
  return { rows: [...rows.values()], late };
}

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
  head: Pick<Progress, 'projected' | 'size'>,
  built: BuiltStatements,
): Promise<Placed[]> {
  const placed: Placed[] = [];
  for (const bundle of await nextBundles(tx, orgId, head.projected, bundlesPerStep, built)) {
    if (placed.length >= entriesPerStep) break;
    for (const [i, bytes] of decodeBundle(bundle.bytes).entries.entries()) {
      const index = bundle.firstIndex + i;
      if (index >= head.projected) placed.push({ index, entry: parseEntry(bytes) });
    }
  }
  return placed;
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

/** Describes records in blocks as they come. */
function createBlocks() {
  /** Records of each log that were added since a block was looked for; undefined where another may be due. */
  const added = new Map<OrgId, number | undefined>();
  return {
    /** Describes what is due. Returns what to note once that is committed. */
    async describe(tx: Tx, orgId: OrgId, count: number): Promise<number | undefined> {
      const known = added.get(orgId);
      if (known !== undefined && known + count < blockRecords) return known + count;
      for (let blocks = 0; blocks < blocksPerStep; blocks += 1) {
        if (!(await describeBlock(tx, orgId))) return 0;
      }
      return undefined;
    },
    note: (orgId: OrgId, count: number | undefined): void => void added.set(orgId, count),
  };
}

/** Throws a log's projection away. */
async function clearProjection(db: Kysely<Tables>, orgId: OrgId): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const head = await readProgress(tx, orgId);
    if (head === undefined) return;
    await clearRecords(tx, orgId);
    await setProjected(tx, orgId, { from: head.projected, to: 0 });
  });
}

/** The projector over the writer's connection. */
export function createProjector(db: Kysely<Tables>, direct?: DirectRun): Projector {
  const noted = new Map<string, number>();
  const built = createBuilt(direct);
  const blocks = createBlocks();

  async function projectSome(orgId: OrgId) {
    return db.transaction().execute(async (tx) => {
      const head = await readProgress(tx, orgId, built);
      if (head === undefined || head.projected >= head.size) return undefined;
      const placed = await readNext(tx, orgId, head, built);
      const last = placed.at(-1);
      if (last === undefined) throw new AppError('internal', 'the ledger has lost entries that it counts');
      const { rows, late } = merge(placed);
      await insertRecords(tx, orgId, rows, built);
      for (const { intent, ...done } of late) await completeRecord(tx, orgId, intent, done, built);
      const outcomes = placed.flatMap(({ entry }) => (isOutcome(entry) ? [entry] : []));
      await addUsage(tx, orgId, sumUsage(outcomes.flatMap((outcome) => usageOf(outcome) ?? [])), built);
      const uses = newKeyUses(placed, noted);
      await writeKeyUses(tx, orgId, uses, built);
      await setProjected(tx, orgId, { from: head.projected, to: last.index + 1 }, built);
      return {
        uses,
        undescribed: await blocks.describe(tx, orgId, rows.length),
        isBehind: last.index + 1 < head.size,
      };
    });
  }

  async function step(orgId: OrgId): Promise<boolean> {
    const done = await projectSome(orgId);
    if (done === undefined) return false;
    if (noted.size > mostNoted) noted.clear();
    // Only what is committed is remembered.
    for (const [keyId, minute] of done.uses) noted.set(keyId, minute);
    blocks.note(orgId, done.undescribed);
    return done.isBehind;
  }

  const inTurn = createTurns();

  async function project(orgId: OrgId): Promise<void> {
    while (await step(orgId));
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

/** Keys whose last noted use is remembered at most. */
const mostNoted = 100_000;

/** The minutes of use that were not noted yet: a busy key is written once a minute, not once a step. */
function newKeyUses(placed: readonly Placed[], noted: ReadonlyMap<string, number>): Map<string, number> {
  const uses = new Map<string, number>();
  for (const { entry } of placed) {
    const { cred } = entry.actor;
    if (cred?.startsWith('key_') !== true || isOutcome(entry)) continue;
    const minute = Math.floor(Date.parse(entry.ts) / minuteMs) * minuteMs;
    if (noted.get(cred) !== minute) uses.set(cred, minute);
  }
  return uses;
}
