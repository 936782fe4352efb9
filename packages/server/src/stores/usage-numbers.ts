// Owns the numbers under which usage is counted: one for each combination of who, what and where.

import { hash } from 'node:crypto';
import type { OrgId } from '@countersign/core/ids';
import { type BuiltStatements, createBuilt, runBuilt } from './built-statements.ts';
import { insertRows } from './insert-rows.ts';
import type { Tx, UsageDimensionsTable } from './schema.ts';

type Dimensions = Omit<UsageDimensionsTable, 'org_id' | 'dimension_id'>;

/** Numbers within one transaction. */
export type UsageNumbers = {
  /** Looks the rows' numbers up, and gives one to those that have none: one for each row, in their order. */
  readonly of: (
    tx: Tx,
    orgId: OrgId,
    rows: readonly Dimensions[],
    built?: BuiltStatements,
  ) => Promise<readonly (number | undefined)[]>;
  /** The transaction is committed: what was looked up in it may be remembered. Numbers never change. */
  readonly committed: () => void;
};

/** Numbers that are remembered at most. */
const mostKnown = 50_000;

/** A short name for long dimensions, so that remembering many costs little: their SHA-256, a character a byte. */
const nameOf = (orgId: OrgId, dimensions: string): string =>
  hash('sha256', `${orgId} ${dimensions}`, 'binary');

async function lastNumber(tx: Tx, orgId: OrgId): Promise<number> {
  const last = await tx
    .selectFrom('usage_dimensions')
    .select('dimension_id')
    .where('org_id', '=', orgId)
    .orderBy('dimension_id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last?.dimension_id ?? 0;
}

/** One at a time, by one statement for all: each is asked for once, and a list would be a statement for each length. */
async function findNumbers(
  tx: Tx,
  orgId: OrgId,
  wanted: readonly string[],
  built: BuiltStatements | undefined,
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const dimensions of wanted) {
    const { rows } = await runBuilt(tx, built ?? createBuilt(), 'usage number', [orgId, dimensions], () =>
      tx
        .selectFrom('usage_dimensions')
        .select('dimension_id')
        .where('org_id', '=', orgId)
        .where('dimensions', '=', dimensions),
    );
    for (const row of rows) found.set(dimensions, row.dimension_id);
  }
  return found;
}

async function giveNumbers(
  tx: Tx,
  orgId: OrgId,
  rows: readonly Dimensions[],
  found: Map<string, number>,
  built: BuiltStatements | undefined,
): Promise<void> {
  const named = new Map(rows.flatMap((row) => (found.has(row.dimensions) ? [] : [[row.dimensions, row]])));
  if (named.size === 0) return;
  let last = await lastNumber(tx, orgId);
  const added = [...named.values()].map((row) => {
    last += 1;
    found.set(row.dimensions, last);
    return {
      dimension_id: last,
      dimensions: row.dimensions,
      user_id: row.user_id,
      key_id: row.key_id,
      team_ids: row.team_ids,
      workspace_id: row.workspace_id,
      cost_centre: row.cost_centre,
      model: row.model,
      model_id: row.model_id,
      application_id: row.application_id,
    };
  });
  await insertRows(
    tx,
    orgId,
    added,
    (part) => tx.insertInto('usage_dimensions').values(part.map((row) => ({ org_id: orgId, ...row }))),
    'usage_dimensions',
    built,
  );
}

/** The numbers of rows, whose names stand in the same order; those that are not remembered are looked up, or given. */
async function lookUp(
  tx: Tx,
  orgId: OrgId,
  rows: readonly Dimensions[],
  names: readonly string[],
  fresh: Map<string, number>,
  built: BuiltStatements | undefined,
): Promise<void> {
  const wanted = rows.map(({ dimensions }) => dimensions);
  const found = await findNumbers(tx, orgId, wanted, built);
  await giveNumbers(tx, orgId, rows, found, built);
  for (const [i, name] of names.entries()) {
    const number = found.get(wanted[i] ?? '');
    if (number !== undefined) fresh.set(name, number);
  }
}

/** What one thread remembers of them: call what it returns for each transaction. */
export function createUsageNumbers(): () => UsageNumbers {
  const known = new Map<string, number>();
  return () => {
    const fresh = new Map<string, number>();
    return {
      async of(tx, orgId, rows, built) {
        const names = rows.map(({ dimensions }) => nameOf(orgId, dimensions));
        const isUnknown = (_row: unknown, i: number): boolean => {
          const name = names[i] ?? '';
          return !known.has(name) && !fresh.has(name);
        };
        const unknown = rows.filter(isUnknown);
        if (unknown.length > 0) await lookUp(tx, orgId, unknown, names.filter(isUnknown), fresh, built);
        return names.map((name) => known.get(name) ?? fresh.get(name));
      },
      committed() {
        if (known.size + fresh.size > mostKnown) known.clear();
        for (const [name, number] of fresh) known.set(name, number);
      },
    };
  };
}
