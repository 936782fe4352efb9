// Owns what entries leave in `records`, `usage_daily` and `key_uses`, inside a transaction of whoever has them.

import type { OrgId } from '@countersign/core/ids';
import { type Entry, entrySchema } from '@countersign/core/ledger/entry';
import { writeKeyUses } from '../../stores/bookkeeping.ts';
import type { BuiltStatements } from '../../stores/built-statements.ts';
import { readProgress, setProjected } from '../../stores/heads.ts';
import { blockRecords, describeBlock } from '../../stores/record-blocks.ts';
import { completeRecord, insertRecords, type RecordRow } from '../../stores/records.ts';
import type { Tx } from '../../stores/schema.ts';
import { addUsage } from '../../stores/usage.ts';
import { isOutcome, outcomeColumn, type Placed, rowOf, sumUsage, usageOf } from './record-rows.ts';

/** Lets others have the thread for a moment, if it is time for it. */
export type Pause = () => Promise<void> | undefined;

export type Projection = {
  /**
   * Projects entries that follow each other. Returns what to call when the transaction is committed; undefined, and
   * nothing is written, when the log is not projected up to the first of them.
   */
  readonly write: (
    tx: Tx,
    orgId: OrgId,
    placed: readonly Placed[],
    pause: Pause,
  ) => Promise<(() => void) | undefined>;
};

/** Blocks that a step describes at most: after a migration there are many to catch up on. */
const blocksPerStep = 4;
/** Rows, or entries, between two pauses. */
const stretch = 32;
/** Keys whose last noted use is remembered at most. */
const mostNoted = 100_000;
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

/** Entries as they are stored, with their places from `first` on. */
export async function parseEntries(
  entries: readonly Uint8Array[],
  first: number,
  pause: Pause,
): Promise<Placed[]> {
  const placed: Placed[] = [];
  for (const [i, bytes] of entries.entries()) {
    if (i % stretch === stretch - 1) await pause();
    placed.push({ index: first + i, entry: parseEntry(bytes) });
  }
  return placed;
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

async function writeRows(
  tx: Tx,
  orgId: OrgId,
  { rows, late }: Merged,
  built: BuiltStatements,
  pause: Pause,
): Promise<void> {
  for (let at = 0; at < rows.length; at += stretch) {
    await insertRecords(tx, orgId, rows.slice(at, at + stretch), built);
    await pause();
  }
  for (const [i, { intent, ...done }] of late.entries()) {
    await completeRecord(tx, orgId, intent, done, built);
    if (i % stretch === stretch - 1) await pause();
  }
}

/** The projection through one connection. It remembers between two steps what it need not look up again. */
export function createProjection(built: BuiltStatements): Projection {
  const noted = new Map<string, number>();
  const blocks = createBlocks();
  return {
    async write(tx, orgId, placed, pause) {
      const first = placed[0];
      const last = placed.at(-1);
      const progress = await readProgress(tx, orgId, built);
      if (first === undefined || last === undefined || progress?.projected !== first.index) return undefined;
      const merged = merge(placed);
      await writeRows(tx, orgId, merged, built, pause);
      const outcomes = placed.flatMap(({ entry }) => (isOutcome(entry) ? [entry] : []));
      await addUsage(tx, orgId, sumUsage(outcomes.flatMap((outcome) => usageOf(outcome) ?? [])), built);
      const uses = newKeyUses(placed, noted);
      await writeKeyUses(tx, orgId, uses, built);
      await setProjected(tx, orgId, { from: first.index, to: last.index + 1 }, built);
      const undescribed = await blocks.describe(tx, orgId, merged.rows.length);
      return () => {
        if (noted.size > mostNoted) noted.clear();
        // Only what is committed is remembered.
        for (const [keyId, minute] of uses) noted.set(keyId, minute);
        blocks.note(orgId, undescribed);
      };
    },
  };
}
