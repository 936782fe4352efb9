// Owns what entries leave in `records`, `record_packs`, `usage_daily` and `key_uses`, inside a transaction of whoever has them.

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
} from '../../stores/record-blocks.ts';
import { insertPack } from '../../stores/record-packs.ts';
import { completeRecord, insertRecords } from '../../stores/records.ts';
import type { Tx } from '../../stores/schema.ts';
import { addUsage } from '../../stores/usage.ts';
import { createUsageNumbers, type UsageNumbers } from '../../stores/usage-numbers.ts';
import { gather, gatherRest, nothing, type Ready, takeReady } from './gather.ts';
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
/** Calls of which rows and usage are written together. */
const stretch = 16;
/** Keys whose last noted use is remembered at most. */
const mostNoted = 100_000;

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
  { rows, late, usage }: Ready,
  numbers: UsageNumbers,
  built: BuiltStatements,
): Promise<void> {
  await insertRecords(tx, orgId, rows, built);
  await addUsage(tx, orgId, usage, numbers, built);
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
      const gathered = nothing(first, noted);
      const writeDue = async (): Promise<void> => {
        await writeReady(tx, orgId, takeReady(gathered), numbers, built);
        await pause();
      };
      let index = first;
      for (const bytes of entries) {
        gather(gathered, index, viewOf(bytes));
        index += 1;
        if (gathered.due >= stretch) await writeDue();
      }
      for (const _one of gatherRest(gathered)) {
        if (gathered.due >= stretch) await writeDue();
      }
      await writeReady(tx, orgId, takeReady(gathered), numbers, built);
      const pack = gathered.packed.pack();
      if (pack !== undefined) await insertPack(tx, orgId, pack, built);
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
