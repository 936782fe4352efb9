// Owns what entries leave in `records`, `usage_daily` and `key_uses`, inside a transaction of whoever has them.

import type { OrgId } from '@countersign/core/ids';
import { writeKeyUses } from '../../stores/bookkeeping.ts';
import type { BuiltStatements } from '../../stores/built-statements.ts';
import { readProgress, setProjected } from '../../stores/heads.ts';
import { blockRecords, describeBlock } from '../../stores/record-blocks.ts';
import { completeRecord, insertRecords, type RecordRow } from '../../stores/records.ts';
import type { Tx } from '../../stores/schema.ts';
import { addUsage, type UsageRow } from '../../stores/usage.ts';
import { createUsageNumbers, type UsageNumbers } from '../../stores/usage-numbers.ts';
import type { Pause } from './pause.ts';
import { addUsageRow, type Projected, projectEntry } from './record-rows.ts';

/** Entries as they are stored, with their places from `first` on. They are gone through once. */
export type Stored = {
  readonly first: number;
  readonly count: number;
  readonly entries: Iterable<Uint8Array>;
};

export type Projection = {
  /**
   * Projects entries that follow each other. Returns what to call when the transaction is committed; undefined, and
   * nothing is written, when the log is not projected up to the first of them.
   */
  readonly write: (tx: Tx, orgId: OrgId, stored: Stored, pause: Pause) => Promise<(() => void) | undefined>;
};

/** Blocks that a step describes at most: after a migration there are many to catch up on. */
const blocksPerStep = 4;
/** Rows that are written together. */
const stretch = 32;
/** Keys whose last noted use is remembered at most. */
const mostNoted = 100_000;
const minuteMs = 60_000;

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

type Late = {
  readonly intent: string;
  readonly outcomeIndex: number;
  readonly status: string;
  readonly outcome: string;
};

/**
 * What entries add. INVARIANT: what is made of an entry is written, and let go, as soon as it is whole: what outlives a
 * few collections of young memory is collected with the whole heap, which halts calls.
 */
type Gathered = {
  /** Rows of calls that have no outcome yet, by their intents. */
  readonly open: Map<string, RecordRow>;
  /** Rows to be written. */
  ready: RecordRow[];
  /** Outcomes of intents that came before. */
  late: Late[];
  count: number;
  /** Of what is ready. */
  usage: Map<string, UsageRow>;
  /** The minute in which each key was last used. */
  readonly uses: Map<string, number>;
};

type Outcome = Extract<Projected, { readonly kind: 'outcome' }>;
type Row = Extract<Projected, { readonly kind: 'row' }>;

/** An outcome whose intent is in the same step completes its row in memory: most calls are one insert. */
function gatherOutcome({ open, ready, late, usage }: Gathered, outcomeIndex: number, made: Outcome): void {
  const { intent, status, outcome } = made;
  const row = open.get(intent);
  if (row === undefined) late.push({ intent, outcomeIndex, status, outcome });
  else ready.push(Object.assign(row, { outcome_index: outcomeIndex, status, outcome }));
  open.delete(intent);
  if (made.usage !== undefined) addUsageRow(usage, made.usage);
}

/** A busy key is written once a minute, not once a step: `noted` are the minutes that are. */
function gatherRow(gathered: Gathered, { row, isOpen, use }: Row, noted: ReadonlyMap<string, number>): void {
  gathered.count += 1;
  if (isOpen) gathered.open.set(row.id, row);
  else gathered.ready.push(row);
  if (use === undefined) return;
  const minute = Math.floor(use.atMs / minuteMs) * minuteMs;
  if (noted.get(use.keyId) !== minute) gathered.uses.set(use.keyId, minute);
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

async function writeReady(
  tx: Tx,
  orgId: OrgId,
  gathered: Gathered,
  numbers: UsageNumbers,
  built: BuiltStatements,
): Promise<void> {
  const { ready, late, usage } = gathered;
  gathered.ready = [];
  gathered.late = [];
  gathered.usage = new Map();
  await insertRecords(tx, orgId, ready, built);
  await addUsage(tx, orgId, [...usage.values()], numbers, built);
  for (const { intent, ...done } of late) await completeRecord(tx, orgId, intent, done, built);
}

/** The projection through one connection. It remembers between two steps what it need not look up again. */
export function createProjection(built: BuiltStatements): Projection {
  const noted = new Map<string, number>();
  const blocks = createBlocks();
  const numbersOfOne = createUsageNumbers();
  return {
    async write(tx, orgId, stored, pause) {
      const { first, count, entries } = stored;
      const progress = await readProgress(tx, orgId, built);
      if (count === 0 || progress?.projected !== first) return undefined;
      const numbers = numbersOfOne();
      const gathered: Gathered = {
        open: new Map(),
        ready: [],
        late: [],
        count: 0,
        usage: new Map(),
        uses: new Map(),
      };
      let index = first;
      for (const bytes of entries) {
        const made = projectEntry(index, textOf(bytes));
        if (made.kind === 'outcome') gatherOutcome(gathered, index, made);
        else gatherRow(gathered, made, noted);
        index += 1;
        if (gathered.ready.length + gathered.late.length < stretch) continue;
        await writeReady(tx, orgId, gathered, numbers, built);
        await pause();
      }
      gathered.ready.push(...gathered.open.values());
      await writeReady(tx, orgId, gathered, numbers, built);
      await writeKeyUses(tx, orgId, gathered.uses, built);
      await setProjected(tx, orgId, { from: first, to: index }, built);
      const undescribed = await blocks.describe(tx, orgId, gathered.count);
      return () => {
        numbers.committed();
        if (noted.size > mostNoted) noted.clear();
        // Only what is committed is remembered.
        for (const [keyId, minute] of gathered.uses) noted.set(keyId, minute);
        blocks.note(orgId, undescribed);
      };
    },
  };
}
