// Owns the queryable projection of the ledger: a record for each call or management entry, in a row or in a pack.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { type BuiltStatements, createBuilt, runBuilt } from './built-statements.ts';
import { readProgress } from './heads.ts';
import { insertRows } from './insert-rows.ts';
import { leastIndex } from './log-places.ts';
import { findPacked, listPacked, listPackedIntents } from './packed-records.ts';
import { type Span, spansOf } from './record-blocks.ts';
import { costCentreText, labelText, type RecordFilter, teamTexts } from './record-filter.ts';
import { clearPacks } from './record-packs.ts';
import type { RecordRow, Store, Tx } from './schema.ts';

const columns = [
  'entry_index',
  'outcome_index',
  'id',
  'request_id',
  'at',
  'type',
  'event',
  'actor_id',
  'workspace_id',
  'application_id',
  'model',
  'decision',
  'labels',
  'status',
  'boot',
  'detail',
  'outcome',
] as const;

/** Adds rows for entries that were not projected yet. */
export async function insertRecords(
  tx: Tx,
  orgId: OrgId,
  rows: readonly RecordRow[],
  built?: BuiltStatements,
): Promise<void> {
  await insertRows(
    tx,
    orgId,
    rows,
    (part) => tx.insertInto('records').values(part.map((row) => ({ org_id: orgId, ...row }))),
    'records',
    built,
  );
}

/** Completes a row by its outcome. */
export async function completeRecord(
  tx: Tx,
  orgId: OrgId,
  intentId: string,
  done: { readonly outcomeIndex: number; readonly status: string; readonly outcome: string },
  built: BuiltStatements = createBuilt(),
): Promise<void> {
  const { outcomeIndex, status, outcome } = done;
  await runBuilt(tx, built, 'complete', [outcomeIndex, status, outcome, orgId, intentId], () =>
    tx
      .updateTable('records')
      .set({ outcome_index: outcomeIndex, status, outcome })
      .where('org_id', '=', orgId)
      .where('id', '=', intentId),
  );
}

/** Records of one part of the log that are rows of their own, newest first. */
async function listSpan(
  store: Store,
  orgId: OrgId,
  filter: RecordFilter,
  span: Pick<Span, 'end'> & Partial<Span>,
  limit: number,
): Promise<readonly RecordRow[]> {
  let query = store
    .selectFrom('records')
    .select(columns)
    .where('org_id', '=', orgId)
    .where('entry_index', '<', span.end);
  if (span.first !== undefined) query = query.where('entry_index', '>=', span.first);
  if (filter.fromMs !== undefined) query = query.where('at', '>=', filter.fromMs);
  if (filter.toMs !== undefined) query = query.where('at', '<', filter.toMs);
  if (filter.actor !== undefined) query = query.where('actor_id', '=', filter.actor);
  if (filter.decision !== undefined) query = query.where('decision', '=', filter.decision);
  if (filter.model !== undefined) query = query.where('model', '=', filter.model);
  if (filter.type !== undefined) query = query.where('type', '=', filter.type);
  if (filter.event !== undefined) query = query.where('event', '=', filter.event);
  if (filter.workspace !== undefined) query = query.where('workspace_id', '=', filter.workspace);
  if (filter.application !== undefined) query = query.where('application_id', '=', filter.application);
  // Whole values within a column's text, in their own case: LIKE knows wildcards, and SQLite's no case.
  const within = (column: 'labels' | 'detail', ...texts: readonly string[]) => {
    query = query.where((eb) =>
      eb.or(
        texts.map((text) =>
          eb(eb.fn<string>('replace', [column, eb.val(text), eb.val('')]), '<>', eb.ref(column)),
        ),
      ),
    );
  };
  if (filter.label !== undefined) within('labels', labelText(filter.label));
  if (filter.team !== undefined) within('detail', ...teamTexts(filter.team));
  if (filter.costCentre !== undefined) within('detail', costCentreText(filter.costCentre));
  return query.orderBy('entry_index', 'desc').limit(limit).execute();
}

/** Records that are rows of their own, newest first, below `end`. */
async function listRows(
  store: Store,
  orgId: OrgId,
  filter: RecordFilter,
  end: number,
  limit: number,
): Promise<readonly RecordRow[]> {
  if (filter.actor === undefined) return listSpan(store, orgId, filter, { end }, limit);
  const rows: RecordRow[] = [];
  for await (const span of spansOf(store, orgId, filter.actor, end)) {
    rows.push(...(await listSpan(store, orgId, filter, span, limit - rows.length)));
    if (rows.length >= limit) break;
  }
  return rows;
}

/** A page of records, newest first, below `beforeIndex`; one more than `limit` tells of a next page. */
export async function listRecords(
  store: Store,
  orgId: OrgId,
  filter: RecordFilter,
  beforeIndex: number | undefined,
  limit: number,
): Promise<readonly RecordRow[]> {
  const most = limit + 1;
  // INVARIANT: a step of the projection between two statements adds to none of them: of its rows and its packs, a page
  // would show one without the other, and the next page begins behind both.
  const { projected } = (await readProgress(store, orgId)) ?? { projected: 0 };
  const end = Math.min(beforeIndex ?? projected, projected);
  const rows = await listRows(store, orgId, filter, end, most);
  // What lies behind a full page of rows is on none.
  const first = rows.length < most ? leastIndex : (rows.at(-1)?.entry_index ?? leastIndex);
  const packed = await listPacked(store, orgId, filter, { first, end }, most);
  return [...rows, ...packed].sort((a, b) => b.entry_index - a.entry_index).slice(0, most);
}

/** The newest row by its own id or its request's. One statement each: of both at once SQLite looks at every row. */
async function findRow(
  store: Store,
  orgId: OrgId,
  column: 'id' | 'request_id',
  id: string,
): Promise<RecordRow | undefined> {
  const [row] = await store
    .selectFrom('records')
    .select(columns)
    .where('org_id', '=', orgId)
    .where(column, '=', id)
    .execute()
    .then((rows) => rows.toSorted((a, b) => b.entry_index - a.entry_index));
  return row;
}

/** What is thrown for a record that is not there, or that the asker may not see: alike. */
export function noRecord(id: string): AppError {
  return new AppError('not_found', `there is no record \`${id}\`: \`records\` lists those that you may see`);
}

/** The record with this entry id or request id: the newest attempt of a request. */
export async function findRecord(store: Store, orgId: OrgId, id: string): Promise<RecordRow | undefined> {
  const row = (await findRow(store, orgId, 'id', id)) ?? (await findRow(store, orgId, 'request_id', id));
  const packed = await findPacked(store, orgId, id);
  return row === undefined || (packed !== undefined && packed.entry_index > row.entry_index) ? packed : row;
}

/** Intents without an outcome that another run of the process wrote: what a crash orphaned. */
export async function listOrphans(
  store: Store,
  orgId: OrgId,
  boot: string,
  limit: number,
): Promise<readonly RecordRow[]> {
  return store
    .selectFrom('records')
    .select(columns)
    .where('org_id', '=', orgId)
    .where('status', 'is', null)
    .where('type', '=', 'model_call')
    .where('boot', '!=', boot)
    .orderBy('entry_index')
    .limit(limit)
    .execute();
}

/** Which of these intents are in the log and have no outcome. */
export async function listOpen(
  store: Store,
  orgId: OrgId,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await store
    .selectFrom('records')
    .select('id')
    .where('org_id', '=', orgId)
    .where('id', 'in', [...ids])
    .where('type', '=', 'model_call')
    .where('status', 'is', null)
    .execute();
  return new Set(rows.map(({ id }) => id));
}

/** Which of these intents have an outcome in the projection. */
export async function listClosed(
  store: Store,
  orgId: OrgId,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await store
    .selectFrom('records')
    .select('id')
    .where('org_id', '=', orgId)
    .where('id', 'in', [...ids])
    .where('outcome_index', 'is not', null)
    .execute();
  return new Set([...rows.map(({ id }) => id), ...(await listPackedIntents(store, orgId, ids))]);
}

/** Empties the projection of one log, so that it can be made anew. What usage is counted for keeps its numbers. */
export async function clearRecords(tx: Tx, orgId: OrgId): Promise<void> {
  await tx.deleteFrom('records').where('org_id', '=', orgId).execute();
  await tx.deleteFrom('record_blocks').where('org_id', '=', orgId).execute();
  await clearPacks(tx, orgId);
  await tx.deleteFrom('usage_daily').where('org_id', '=', orgId).execute();
}
