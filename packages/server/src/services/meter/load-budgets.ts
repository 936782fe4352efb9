// Owns putting budgets in force beside running calls: what is spent is read, and no call is missed or counted twice.

import { AppError } from '@countersign/core/errors';
import type { EntryId, OrgId } from '@countersign/core/ids';
import { type SpentRow, spentByBudget } from '@countersign/core/metering/spent';
import type { Reading } from './ended-calls.ts';
import type { Meter } from './meter.ts';
import type { BudgetAlert, BudgetSet } from './state.ts';

/** The records of the running periods, all from one moment. */
export type SpentRecords = Reading & { readonly rows: readonly SpentRow[] };

/** Reads what the log holds by now. `owed`: intents of which it must say whether their outcome is in it. */
export type ReadSpent = (owed: readonly EntryId[]) => Promise<SpentRecords>;

/** Readings until the ledger, which cannot take outcomes, is given up. */
const mostReadings = 5;

/**
 * Puts budgets and limits in force, with what `read` says of their periods. A call that ends meanwhile is in the
 * reading or added to it, by the place of its outcome in the log. Rejects with `ledger_unavailable` if outcomes
 * fail to be recorded again and again.
 */
export async function loadBudgets(
  { meter, now }: { readonly meter: Pick<Meter, 'load' | 'ended'>; readonly now: () => number },
  orgId: OrgId,
  { budgets, rateLimits }: BudgetSet,
  read: ReadSpent,
): Promise<readonly BudgetAlert[]> {
  if (budgets.length === 0) return meter.load(orgId, budgets, rateLimits, new Map());
  const ended = meter.ended(orgId);
  const forget = ended.keep();
  try {
    for (let reading = 0; reading < mostReadings; reading += 1) {
      const owed = ended.owed();
      const records = await read(owed);
      await ended.placed();
      // INVARIANT: from here to `load` nothing waits, so that no call can end in between.
      const missing = ended.missingFrom(records, owed);
      if (missing === undefined) continue;
      return meter.load(orgId, budgets, rateLimits, spentByBudget(budgets, records.rows, now()), missing);
    }
  } finally {
    forget();
  }
  throw new AppError('ledger_unavailable', 'what budgets have spent cannot be told: retry shortly', {
    retryAfterSeconds: 1,
  });
}
