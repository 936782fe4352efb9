// Owns packs: many calls that are whole as one row, which says where their entries lie and what is among them.

import type { OrgId } from '@countersign/core/ids';
import { quote } from '@countersign/core/ledger/canonical';
import { type BuiltStatements, runBuilt } from './built-statements.ts';
import type { Span } from './record-blocks.ts';
import type { RecordFilter } from './record-filter.ts';
import type { RecordPacksTable, Store, Tx } from './schema.ts';

export type Pack = Omit<RecordPacksTable, 'org_id'>;

/** What all calls in packs are: others are rows of their own. */
export const packedType = 'model_call';
export const packedDecision = 'allow';

const columns = ['first_index', 'end_index', 'places'] as const;

/** As much of a pack as tells where its calls are. */
export type PackPlaces = Pick<Pack, (typeof columns)[number]>;

export async function insertPack(tx: Tx, orgId: OrgId, pack: Pack, built: BuiltStatements): Promise<void> {
  await runBuilt(tx, built, 'record_packs', [orgId, ...Object.values(pack)], () =>
    tx.insertInto('record_packs').values({ org_id: orgId, ...pack }),
  );
}

/** Characters of an id that stand for it. Others may share them: then a pack is looked at for nothing. */
const markLength = 8;

/** Well-formed although it may begin within a character: a database takes nothing else. */
const endOf = (literal: string): string => literal.slice(-markLength - 1, -1).toWellFormed();

/** The line of a pack's marks by which it holds a call of this kind. Of literals: no line feed is in them, and no NUL. */
export const packMarks = {
  actor: (literal: string): string => `a${endOf(literal)}`,
  workspace: (literal: string): string => `w${endOf(literal)}`,
  application: (literal: string): string => `p${endOf(literal)}`,
  team: (literal: string): string => `t${endOf(literal)}`,
  label: (label: string): string => `l${label}`,
  model: (literal: string): string => `m${literal}`,
  costCentre: (literal: string): string => `c${literal}`,
};

/** Marks as a pack keeps them: a line feed before, between and behind them. */
export const linesOf = (marks: Iterable<string>): string => `\n${[...marks].join('\n')}\n`;

function marksOf(filter: RecordFilter): readonly string[] {
  const { actor, workspace, application, team, label, model, costCentre } = filter;
  return [
    ...(actor === undefined ? [] : [packMarks.actor(quote(actor))]),
    ...(workspace === undefined ? [] : [packMarks.workspace(quote(workspace))]),
    ...(application === undefined ? [] : [packMarks.application(quote(application))]),
    ...(team === undefined ? [] : [packMarks.team(quote(team))]),
    ...(label === undefined ? [] : [packMarks.label(label)]),
    ...(model === undefined ? [] : [packMarks.model(quote(model))]),
    ...(costCentre === undefined ? [] : [packMarks.costCentre(quote(costCentre))]),
  ];
}

/** True where no call in any pack fits. */
function isElsewhere({ decision, type, event }: RecordFilter): boolean {
  return (
    event !== undefined ||
    (decision !== undefined && decision !== packedDecision) ||
    (type !== undefined && type !== packedType)
  );
}

/** The packs of one part of the log that may hold what fits, newest first. They do not overlap. */
export async function listPacks(
  store: Store,
  orgId: OrgId,
  filter: RecordFilter,
  span: Span,
  limit: number,
): Promise<readonly PackPlaces[]> {
  if (isElsewhere(filter)) return [];
  let query = store
    .selectFrom('record_packs')
    .select(columns)
    .where('org_id', '=', orgId)
    .where('first_index', '<', span.end)
    .where('end_index', '>', span.first);
  if (filter.fromMs !== undefined) query = query.where('last_at', '>=', filter.fromMs);
  if (filter.toMs !== undefined) query = query.where('first_at', '<', filter.toMs);
  for (const mark of marksOf(filter)) {
    query = query.where((eb) =>
      eb(eb.fn<string>('replace', ['marks', eb.val(linesOf([mark])), eb.val('')]), '<>', eb.ref('marks')),
    );
  }
  return query.orderBy('first_index', 'desc').limit(limit).execute();
}

/** The packs that may hold a record of this id, or of the request of this id. */
export async function packsOf(store: Store, orgId: OrgId, id: string): Promise<readonly PackPlaces[]> {
  return store
    .selectFrom('record_packs')
    .select(columns)
    .where('org_id', '=', orgId)
    .where((eb) =>
      eb.or([
        eb.and([eb('last_id', '>=', id), eb('first_id', '<=', id)]),
        eb.and([eb('last_request', '>=', id), eb('first_request', '<=', id)]),
      ]),
    )
    .orderBy('first_index', 'desc')
    .execute();
}

/** The packs that may hold records of ids from `least` to `most`, `limit` at most, from `first` on, oldest first. */
export async function packsBetween(
  store: Store,
  orgId: OrgId,
  ids: { readonly least: string; readonly most: string },
  first: number,
  limit: number,
): Promise<readonly (PackPlaces & Pick<Pack, 'first_id' | 'last_id'>)[]> {
  return store
    .selectFrom('record_packs')
    .select([...columns, 'first_id', 'last_id'])
    .where('org_id', '=', orgId)
    .where('first_index', '>=', first)
    .where('last_id', '>=', ids.least)
    .where('first_id', '<=', ids.most)
    .orderBy('first_index')
    .limit(limit)
    .execute();
}

export async function clearPacks(tx: Tx, orgId: OrgId): Promise<void> {
  await tx.deleteFrom('record_packs').where('org_id', '=', orgId).execute();
}
