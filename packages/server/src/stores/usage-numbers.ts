// Owns the numbers under which usage is counted: one for each combination of who, what and where.

import { hash } from 'node:crypto';
import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { insertRows } from './insert-rows.ts';
import type { Tx, UsageDimensionsTable } from './schema.ts';

type Dimensions = Omit<UsageDimensionsTable, 'org_id' | 'dimension_id'>;

/** Numbers within one transaction. */
export type UsageNumbers = {
  /** Looks the rows' numbers up, and gives one to those that have none. Returns how to tell each row's. */
  readonly of: (
    tx: Tx,
    orgId: OrgId,
    rows: readonly Dimensions[],
  ) => Promise<(row: Pick<Dimensions, 'dimensions'>) => number>;
  /** The transaction is committed: what was looked up in it may be remembered. Numbers never change. */
  readonly committed: () => void;
};

/** Numbers that are remembered at most, and looked up by one statement. */
const mostKnown = 50_000;
const page = 64;

/** A short name for long dimensions: 132 bits of their SHA-256, so that remembering many costs little. */
const nameOf = (orgId: OrgId, dimensions: string): string =>
  hash('sha256', `${orgId} ${dimensions}`, 'base64url').slice(0, 22);

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

async function findNumbers(tx: Tx, orgId: OrgId, wanted: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (let at = 0; at < wanted.length; at += page) {
    const rows = await tx
      .selectFrom('usage_dimensions')
      .select(['dimensions', 'dimension_id'])
      .where('org_id', '=', orgId)
      .where('dimensions', 'in', wanted.slice(at, at + page))
      .execute();
    for (const row of rows) found.set(row.dimensions, row.dimension_id);
  }
  return found;
}

async function giveNumbers(
  tx: Tx,
  orgId: OrgId,
  rows: readonly Dimensions[],
  found: Map<string, number>,
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
  );
}

/** What one thread remembers of them: call what it returns for each transaction. */
export function createUsageNumbers(): () => UsageNumbers {
  const known = new Map<string, number>();
  return () => {
    const fresh = new Map<string, number>();
    return {
      async of(tx, orgId, rows) {
        const names = new Map(rows.map(({ dimensions }) => [dimensions, nameOf(orgId, dimensions)]));
        const numberOf = (dimensions: string): number | undefined => {
          const name = names.get(dimensions) ?? '';
          return known.get(name) ?? fresh.get(name);
        };
        const unknown = rows.filter(({ dimensions }) => numberOf(dimensions) === undefined);
        if (unknown.length > 0) {
          const found = await findNumbers(
            tx,
            orgId,
            unknown.map(({ dimensions }) => dimensions),
          );
          await giveNumbers(tx, orgId, unknown, found);
          for (const [dimensions, number] of found) fresh.set(names.get(dimensions) ?? '', number);
        }
        return ({ dimensions }) => {
          const number = numberOf(dimensions);
          if (number === undefined) throw new AppError('internal', 'usage was counted for nobody');
          return number;
        };
      },
      committed() {
        if (known.size + fresh.size > mostKnown) known.clear();
        for (const [name, number] of fresh) known.set(name, number);
      },
    };
  };
}
