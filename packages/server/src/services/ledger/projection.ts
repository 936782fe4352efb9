// Owns what entries leave in `records`, `usage_daily` and `key_uses`, inside a transaction of whoever has them.

import type { OrgId } from '@countersign/core/ids';
import { writeKeyUses } from '../../stores/bookkeeping.ts';
import type { BuiltStatements } from '../../stores/built-statements.ts';
import { readProgress, setProjected } from '../../stores/heads.ts';
import {
  addBlock,
  blockRecords,
  describeBlock,
  readUndescribed,
  type Undescribed,
  undescribed,
} from '../../stores/record-blocks.ts';
import { type Projected, projectEntry } from '../../stores/record-rows.ts';
import { completeRecord, insertRecords, type RecordRow } from '../../stores/records.ts';
import type { Tx } from '../../stores/schema.ts';
import { addUsage, type UsageRow } from '../../stores/usage.ts';
import { createUsageNumbers, type UsageNumbers } from '../../stores/usage-numbers.ts';
import { addUsageRow } from '../../stores/usage-rows.ts';
import type { Pause } from './pause.ts';

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
const stretch = 16;
/** Keys whose last noted use is remembered at most. */
const mostNoted = 100_000;
const minuteMs = 60_000;

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const outcomeMark = Buffer.from('"phase":"outcome"');
const intentMark = Buffer.from('"phase":"intent"');
/** What stands around the id of an intent in canonical text: `log` is the next member. */
const beforeId = Buffer.from('"id":"');
const afterId = Buffer.from('","log":"');
const idLength = 36;

/**
 * The id of an entry that is an intent; undefined for any other. Quotes within strings are escaped, so what is looked
 * for are members.
 */
function intentIdOf(entry: Buffer): string | undefined {
  const end = entry.indexOf(afterId);
  const at = end - idLength;
  const isId =
    at >= beforeId.length && entry.compare(beforeId, 0, beforeId.length, at - beforeId.length, at) === 0;
  return isId && entry.includes(intentMark, end) ? entry.toString('latin1', at, end) : undefined;
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
  /** Intents that have no outcome yet, by their ids: as bytes, which cost nothing while they wait. */
  readonly open: Map<string, { readonly index: number; readonly entry: Buffer }>;
  /** Rows to be written. */
  ready: RecordRow[];
  /** Outcomes of intents that came before. */
  late: Late[];
  /** The actor of each row. */
  readonly actors: Undescribed[];
  /** Of what is ready. */
  usage: Map<string, UsageRow>;
  /** The minute in which each key was last used. */
  readonly uses: Map<string, number>;
};

type Outcome = Extract<Projected, { readonly kind: 'outcome' }>;
type Row = Extract<Projected, { readonly kind: 'row' }>;

/** A busy key is written once a minute, not once a step: `noted` are the minutes that are. */
function gatherRow(gathered: Gathered, { row, use }: Row, noted: ReadonlyMap<string, number>): void {
  gathered.actors.push(undescribed(row));
  gathered.ready.push(row);
  if (use === undefined) return;
  const minute = Math.floor(use.atMs / minuteMs) * minuteMs;
  if (noted.get(use.keyId) !== minute) gathered.uses.set(use.keyId, minute);
}

/** An outcome whose intent is in the same step completes its row in memory: most calls are one insert. */
function gatherOutcome(
  gathered: Gathered,
  outcomeIndex: number,
  made: Outcome,
  noted: ReadonlyMap<string, number>,
): void {
  const { intent, status, outcome } = made;
  if (made.usage !== undefined) addUsageRow(gathered.usage, made.usage);
  const waiting = gathered.open.get(intent);
  const begun = waiting && projectEntry(waiting.index, waiting.entry.toString('utf8'));
  if (begun?.kind !== 'row') {
    gathered.late.push({ intent, outcomeIndex, status, outcome });
    return;
  }
  gathered.open.delete(intent);
  Object.assign(begun.row, { outcome_index: outcomeIndex, status, outcome });
  gatherRow(gathered, begun, noted);
}

function gather(gathered: Gathered, index: number, entry: Buffer, noted: ReadonlyMap<string, number>): void {
  const intentId = entry.includes(outcomeMark) ? undefined : intentIdOf(entry);
  if (intentId !== undefined) {
    gathered.open.set(intentId, { index, entry });
    return;
  }
  const made = projectEntry(index, entry.toString('utf8'));
  if (made.kind === 'outcome') gatherOutcome(gathered, index, made, noted);
  else gatherRow(gathered, made, noted);
}

/** What no block describes yet of a log, as far as it is projected. */
type Tail = { readonly upTo: number; readonly rows: readonly Undescribed[] };

/**
 * Describes records in blocks as they come. What no block describes yet is remembered: to read it again from the
 * database, which has just been given it, costs more than to write it.
 */
function createBlocks() {
  /** A log is not here while it has more than one block's records. */
  const tails = new Map<OrgId, Tail>();
  return {
    /** Describes what is due when entries from `first` on have added records. Returns what to note after the commit. */
    async describe(
      tx: Tx,
      orgId: OrgId,
      first: number,
      added: readonly Undescribed[],
    ): Promise<readonly Undescribed[] | undefined> {
      const tail = tails.get(orgId);
      // Somebody else went on, or began anew.
      if (tail?.upTo !== first) {
        for (let blocks = 0; blocks < blocksPerStep; blocks += 1)
          if (!(await describeBlock(tx, orgId))) return readUndescribed(tx, orgId);
        return undefined;
      }
      const all = [...tail.rows, ...added.toSorted((a, b) => a.index - b.index)];
      let at = 0;
      for (; all.length - at >= blockRecords; at += blockRecords)
        await addBlock(tx, orgId, all.slice(at, at + blockRecords));
      return all.slice(at);
    },
    note(orgId: OrgId, upTo: number, rows: readonly Undescribed[] | undefined): void {
      if (rows === undefined) tails.delete(orgId);
      else tails.set(orgId, { upTo, rows });
    },
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
        actors: [],
        usage: new Map(),
        uses: new Map(),
      };
      let index = first;
      for (const bytes of entries) {
        gather(gathered, index, viewOf(bytes), noted);
        index += 1;
        if (gathered.ready.length + gathered.late.length < stretch) continue;
        await writeReady(tx, orgId, gathered, numbers, built);
        await pause();
      }
      for (const { index: at, entry } of gathered.open.values()) {
        const made = projectEntry(at, entry.toString('utf8'));
        if (made.kind === 'row') gatherRow(gathered, made, noted);
        if (gathered.ready.length < stretch) continue;
        await writeReady(tx, orgId, gathered, numbers, built);
        await pause();
      }
      await writeReady(tx, orgId, gathered, numbers, built);
      await writeKeyUses(tx, orgId, gathered.uses, built);
      await setProjected(tx, orgId, { from: first, to: index }, built);
      const undescribed = await blocks.describe(tx, orgId, first, gathered.actors);
      return () => {
        numbers.committed();
        if (noted.size > mostNoted) noted.clear();
        // Only what is committed is remembered.
        for (const [keyId, minute] of gathered.uses) noted.set(keyId, minute);
        blocks.note(orgId, index, undescribed);
      };
    },
  };
}
