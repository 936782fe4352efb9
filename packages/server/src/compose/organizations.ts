// Owns the organizations in memory as the server keeps them: their budgets, their networks, whose keys are whose.

import type { Change, Organization } from '@countersign/core/directory/objects';
import type { OrgId } from '@countersign/core/ids';
import { periodBounds } from '@countersign/core/metering/period';
import { matchNetworks, type NetworkMatcher } from '../platform/http/networks.ts';
import { loadBudgets } from '../services/meter/load-budgets.ts';
import type { Meter } from '../services/meter/meter.ts';
import type { BudgetAlert } from '../services/meter/state.ts';
import type { OrgSnapshot } from '../services/snapshot/org-snapshot.ts';
import { createSnapshots, type Snapshots } from '../services/snapshot/snapshots.ts';
import { type BudgetLoads, createBudgetLoads } from './budget-loads.ts';
import type { Threads } from './start-threads.ts';

export type Organizations = {
  readonly snapshots: Snapshots;
  /** At once for a key that is known; the store is asked once for another. */
  readonly organizationOfKey: (
    keyId: string,
    isWorthAsking: () => boolean,
  ) => OrgId | undefined | Promise<OrgId | undefined>;
  readonly networksOf: (snapshot: OrgSnapshot, address: string) => readonly string[];
  /** Resolves when the organization's budgets are in force; undefined if they are now. */
  readonly budgetsSettled: BudgetLoads['settled'];
};

export type OrganizationsDeps = {
  readonly threads: Pick<Threads, 'reader' | 'writer'>;
  readonly meter: Meter;
  readonly now: () => number;
  readonly onAdvance: (snapshot: OrgSnapshot, changes: readonly Change[]) => void;
  readonly onBudgetAlert: (snapshot: OrgSnapshot, alert: BudgetAlert) => void;
  readonly onError: (error: unknown) => void;
  readonly maxOrganizations: number;
};

const dayMs = 86_400_000;
const maxKnownKeys = 200_000;
/** How long an unknown key id is remembered as unknown: a flood of one costs the store one look a second. */
const unknownMs = 1_000;

/** The first day that any budget's current period reaches back to. */
function firstDay(snapshot: OrgSnapshot, nowMs: number): number {
  const starts = [...snapshot.directory.tables.budget.values()].map(
    ({ period }) => periodBounds(period, nowMs).startMs,
  );
  return Math.max(0, Math.floor(Math.min(nowMs, ...starts) / dayMs));
}

const noMatch: NetworkMatcher = () => [];

/** Addresses whose networks are remembered for each state of an organization. */
const mostAddresses = 10_000;

/** The same answers from memory: most callers come again from where they were. */
function remember(match: NetworkMatcher): NetworkMatcher {
  const known = new Map<string, readonly string[]>();
  return (address) => {
    const names = known.get(address);
    if (names !== undefined) return names;
    const found = match(address);
    if (known.size >= mostAddresses) known.clear();
    known.set(address, found);
    return found;
  };
}

/** Compiles an organization's networks once for each state of it. */
function createNetworks() {
  const compiled = new WeakMap<Organization, NetworkMatcher>();
  return (snapshot: OrgSnapshot, address: string): readonly string[] => {
    const organization = snapshot.organization();
    let match = compiled.get(organization);
    if (match === undefined) {
      const result = matchNetworks(organization.networks);
      match = result.ok ? remember(result.match) : noMatch;
      compiled.set(organization, match);
    }
    return match(address);
  };
}

function createKeyIndex(deps: OrganizationsDeps) {
  const known = new Map<string, OrgId>();
  const unknown = new Map<string, number>();
  async function look(keyId: string): Promise<OrgId | undefined> {
    const orgId = await deps.threads.reader.call('organizationOfKey', keyId);
    if (orgId === undefined) {
      if (unknown.size > 10_000) unknown.clear();
      unknown.set(keyId, deps.now() + unknownMs);
    } else {
      if (known.size > maxKnownKeys) known.clear();
      known.set(keyId, orgId);
    }
    return orgId;
  }
  return (keyId: string, isWorthAsking: () => boolean): OrgId | undefined | Promise<OrgId | undefined> => {
    const orgId = known.get(keyId);
    if (orgId !== undefined) return orgId;
    return (unknown.get(keyId) ?? 0) > deps.now() || !isWorthAsking() ? undefined : look(keyId);
  };
}

/** The organizations of this process. */
export function createOrganizations(deps: OrganizationsDeps): Organizations {
  const { reader, writer } = deps.threads;

  async function load(snapshot: OrgSnapshot): Promise<void> {
    const { orgId, directory } = snapshot;
    const budgets = [...directory.tables.budget.values()];
    const rateLimits = [...directory.tables.rateLimit.values()];
    const alerts = await loadBudgets(deps, orgId, { budgets, rateLimits }, async (owed) => {
      await writer.call('drain', orgId);
      return reader.call('spent', { orgId, fromDay: firstDay(snapshot, deps.now()), owed });
    });
    for (const alert of alerts) deps.onBudgetAlert(snapshot, alert);
  }

  const loads = createBudgetLoads(load);
  const snapshots = createSnapshots(
    {
      load: (orgId) => reader.call('load', orgId),
      since: (orgId, version) => reader.call('since', { orgId, version }),
    },
    {
      maxOrganizations: deps.maxOrganizations,
      onLoad: loads.start,
      onAdvance: (snapshot, changes) => {
        if (changes.some(({ kind }) => kind === 'budget' || kind === 'rateLimit')) {
          loads.start(snapshot).catch(deps.onError);
        }
        deps.onAdvance(snapshot, changes);
      },
      mayEvict: (orgId) => deps.meter.unload(orgId),
      onError: deps.onError,
    },
  );
  async function catchUp(orgId: OrgId, version: number): Promise<void> {
    await snapshots.catchUp(orgId, version);
    // What a version says of budgets is in force before anything is decided, or answered, under it.
    await loads.settled(orgId);
  }
  return {
    snapshots: { ...snapshots, catchUp },
    budgetsSettled: loads.settled,
    organizationOfKey: createKeyIndex(deps),
    networksOf: createNetworks(),
  };
}
