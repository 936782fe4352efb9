// Owns when an organization's budgets and limits are in force: loads run one after another, and calls wait for them.

import type { OrgId } from '@countersign/core/ids';
import type { OrgSnapshot } from '../services/snapshot/org-snapshot.ts';

export type BudgetLoads = {
  /** Puts the budgets of the snapshot as it then is in force; after the loads that run already. */
  readonly start: (snapshot: OrgSnapshot) => Promise<void>;
  /**
   * Resolves when the meter holds what the snapshot says; undefined if it does now. INVARIANT: budgets that could
   * not be loaded refuse: it rejects, and tries again the next time.
   */
  readonly settled: (orgId: OrgId) => Promise<void> | undefined;
};

type Load = { readonly snapshot: OrgSnapshot; readonly done: Promise<void>; hasFailed: boolean };

/** `load` reads what budgets have spent and gives them to the meter. */
export function createBudgetLoads(load: (snapshot: OrgSnapshot) => Promise<void>): BudgetLoads {
  const newest = new Map<OrgId, Load>();

  function start(snapshot: OrgSnapshot): Promise<void> {
    const { orgId } = snapshot;
    const former = newest.get(orgId)?.done ?? Promise.resolve();
    // INVARIANT: each load reads the snapshot at its own turn, so that an older state never replaces a newer one.
    const done = former.then(
      () => load(snapshot),
      () => load(snapshot),
    );
    const own: Load = { snapshot, done, hasFailed: false };
    newest.set(orgId, own);
    done.then(
      () => {
        if (newest.get(orgId) === own) newest.delete(orgId);
      },
      () => {
        own.hasFailed = true;
      },
    );
    return done;
  }

  return {
    start,
    settled(orgId) {
      const last = newest.get(orgId);
      if (last === undefined) return undefined;
      return last.hasFailed ? start(last.snapshot) : last.done;
    },
  };
}
