// Owns alerts: facts that somebody should look at, recorded where auditors look.

import type { Model } from '@countersign/core/directory/objects';
import type { EntryId, OrgId } from '@countersign/core/ids';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import type { ToRecord } from '../services/ledger/recorder.ts';
import type { BudgetAlert } from '../services/meter/state.ts';

/** The part of an organization in memory that an alert names. */
type Alerted = { readonly orgId: OrgId; readonly origin: string; readonly version: () => number };

export type Alerts = {
  /** A budget has reached its threshold or its limit. */
  readonly budget: (snapshot: Alerted, alert: BudgetAlert) => void;
  /** A model was charged at the organization's default, because no table prices it. Once a model and process. */
  readonly unknownPrice: (snapshot: Alerted, model: Model) => void;
};

export type AlertsDeps = {
  readonly record: (entry: ToRecord) => Promise<unknown>;
  readonly newEntryId: () => EntryId;
  readonly now: () => number;
  readonly node: string;
  readonly boot: string;
  readonly onError: (error: unknown) => void;
};

function budgetMember({ budget, usedNanos }: BudgetAlert) {
  return {
    kind: usedNanos >= budget.limitNanos ? 'budget_exhausted' : 'budget_warning',
    budget: budget.id,
    limit_nanos: budget.limitNanos,
    used_nanos: usedNanos,
    percent: budget.limitNanos === 0 ? 100 : Math.floor((usedNanos * 100) / budget.limitNanos),
  };
}

/** Alerts over a recorder. They are recorded beside the call that caused them and hold nothing up. */
export function createAlerts(deps: AlertsDeps): Alerts {
  const unpriced = new Set<string>();
  function record(snapshot: Alerted, alert: object): void {
    const text = canonicalJson({
      v: 1,
      id: deps.newEntryId(),
      log: snapshot.origin,
      ts: new Date(deps.now()).toISOString(),
      node: deps.node,
      boot: deps.boot,
      sv: snapshot.version(),
      type: 'alert',
      actor: { id: 'system', kind: 'system' },
      alert,
    });
    deps.record({ orgId: snapshot.orgId, text, version: -1 }).catch(deps.onError);
  }
  return {
    budget: (snapshot, alert) => record(snapshot, budgetMember(alert)),
    unknownPrice(snapshot, model) {
      const name = `${snapshot.orgId} ${model.id}`;
      if (unpriced.has(name)) return;
      unpriced.add(name);
      record(snapshot, { kind: 'unknown_price', model: model.id });
    },
  };
}
