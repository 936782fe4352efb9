// Owns the list of records, newest first, filtered, as far as the asker may see them.

import type { recordList } from '@countersign/contract/evidence-operations';
import { recordViewOf } from '../services/ledger/record-view.ts';
import type { RecordFilter } from '../stores/record-filter.ts';
import { listRecords as readRecords } from '../stores/records.ts';
import { alertedNames } from './alerted-names.ts';
import { costCentreOf, needIds } from './filter-ids.ts';
import { pageOfRows, positionOf } from './paging.ts';
import { namesOf } from './person-names.ts';
import { needEvent } from './record-events.ts';
import type { Query, QueryInput } from './run-query.ts';
import { visibleRecords } from './visible-records.ts';

type Asked = QueryInput<typeof recordList>['query'];

function filterOf(asked: Asked): RecordFilter {
  const { from, to, actor, decision, model, label, type, event, workspace, team, application } = asked;
  const costCentre = costCentreOf(asked);
  return {
    ...(from === undefined ? {} : { fromMs: Date.parse(from) }),
    ...(to === undefined ? {} : { toMs: Date.parse(to) }),
    ...(actor === undefined ? {} : { actor }),
    ...(decision === undefined ? {} : { decision }),
    ...(model === undefined ? {} : { model }),
    ...(label === undefined ? {} : { label }),
    ...(type === undefined ? {} : { type }),
    ...(event === undefined ? {} : { event }),
    ...(workspace === undefined ? {} : { workspace }),
    ...(team === undefined ? {} : { team }),
    ...(costCentre === undefined ? {} : { costCentre }),
    ...(application === undefined ? {} : { application }),
  };
}

/** Records by keyset. Who asks for what they may not see gets an empty page. */
export const listRecords: Query<typeof recordList> = async (ctx, { query }) => {
  const of = { orgId: ctx.orgId, list: 'record' };
  const position = positionOf(of, query.cursor);
  needIds(query);
  needEvent(query.event);
  const asked = filterOf(query);
  const own = visibleRecords(ctx);
  const isElsewhere =
    (own.actor !== undefined && asked.actor !== undefined && asked.actor !== own.actor) ||
    (own.workspace !== undefined && asked.workspace !== undefined && asked.workspace !== own.workspace);
  if (isElsewhere) return { items: [] };
  const before = position === undefined ? undefined : Number(position);
  const rows = await readRecords(ctx.store, ctx.orgId, { ...asked, ...own }, before, query.limit);
  const names = await namesOf(ctx, rows);
  const alerted = await alertedNames(ctx, rows);
  return pageOfRows(
    of,
    rows,
    query.limit,
    (row) => String(row.entry_index),
    (row) => recordViewOf(row, (id) => names.get(id) ?? alerted.get(id)),
  );
};
