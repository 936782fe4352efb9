// Owns which actors have records in which part of the log: what an index would say, but written once for many records.

import type { OrgId } from '@countersign/core/ids';
import { leastIndex } from './log-places.ts';
import type { RecordsTable, Store, Tx } from './schema.ts';

/** A part of the log, [first, end). */
export type Span = { readonly first: number; readonly end: number };

/** Records that a block describes. */
export const blockRecords = 256;

/** Blocks that are looked up at a time. */
const page = 64;

/** Characters of an id that stand for it. Others may share them: then one part is looked at for nothing. */
const markLength = 8;

const markOf = (id: string): string => id.slice(-markLength);

async function describedUpTo(store: Store, orgId: OrgId): Promise<number> {
  const last = await store
    .selectFrom('record_blocks')
    .select('end_index')
    .where('org_id', '=', orgId)
    .orderBy('first_index', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last?.end_index ?? leastIndex;
}

/** A record, as far as blocks tell of it. `mark` stands for its actor, and is a text of its own: it is kept. */
export type Undescribed = { readonly index: number; readonly mark: string };

export function undescribed({
  entry_index,
  actor_id,
}: Pick<RecordsTable, 'entry_index' | 'actor_id'>): Undescribed {
  return { index: entry_index, mark: markOf(actor_id) };
}

/** The first records, at most as many as a block describes, that no block describes yet. */
export async function readUndescribed(tx: Tx, orgId: OrgId): Promise<readonly Undescribed[]> {
  const first = await describedUpTo(tx, orgId);
  const rows = await tx
    .selectFrom('records')
    .select(['entry_index', 'actor_id'])
    .where('org_id', '=', orgId)
    .where('entry_index', '>=', first)
    .orderBy('entry_index')
    .limit(blockRecords)
    .execute();
  return rows.map(undescribed);
}

/** Describes the next block: these records, in the order of the log, are the first that none describes. */
export async function addBlock(tx: Tx, orgId: OrgId, rows: readonly Undescribed[]): Promise<void> {
  const last = rows.at(-1);
  if (last === undefined) return;
  const first = await describedUpTo(tx, orgId);
  const marks = new Set(rows.map(({ mark }) => mark));
  const actors = ` ${[...marks].join(' ')} `;
  // The first block begins where records can begin: below place 0 only where a log was closed.
  const begin = Math.max(first, Math.min(0, rows[0]?.index ?? 0));
  const block = { org_id: orgId, first_index: begin, end_index: last.index + 1, actors };
  await tx.insertInto('record_blocks').values(block).execute();
}

/** Describes the next block of records, if there are enough for one. False if there are not. */
export async function describeBlock(tx: Tx, orgId: OrgId): Promise<boolean> {
  const rows = await readUndescribed(tx, orgId);
  if (rows.length < blockRecords) return false;
  await addBlock(tx, orgId, rows);
  return true;
}

/** The parts of the log below `before` that may hold records of an actor, newest first. */
export async function* spansOf(
  store: Store,
  orgId: OrgId,
  actorId: string,
  before: number,
): AsyncGenerator<Span> {
  let below = await describedUpTo(store, orgId);
  // What is not described yet is few records.
  if (below < before) yield { first: below, end: before };
  const mark = ` ${markOf(actorId)} `;
  for (;;) {
    const blocks = await store
      .selectFrom('record_blocks')
      .select(['first_index', 'end_index'])
      .where('org_id', '=', orgId)
      .where('first_index', '<', Math.min(below, before))
      .where((eb) =>
        eb(eb.fn<string>('replace', ['actors', eb.val(mark), eb.val('')]), '<>', eb.ref('actors')),
      )
      .orderBy('first_index', 'desc')
      .limit(page)
      .execute();
    for (const block of blocks) yield { first: block.first_index, end: Math.min(block.end_index, before) };
    const last = blocks.at(-1);
    if (last === undefined || blocks.length < page) return;
    below = last.first_index;
  }
}
