// Owns which organizations are in memory, and keeps each moving forward.

import type { Change } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import type { PolicySource } from './active-policy.ts';
import { createOrgSnapshot, type Loaded, type OrgSnapshot } from './org-snapshot.ts';
import { shareStrings } from './share-strings.ts';

/** One version's step, as the writer publishes it or the reader finds it in the ledger. */
export type Step = {
  readonly orgId: OrgId;
  readonly version: number;
  readonly changes: readonly Change[];
  readonly policy: PolicySource | undefined;
};

export type SnapshotSource = {
  /** Everything that an organization has; undefined if there is no such organization. */
  readonly load: (orgId: OrgId) => Promise<Loaded | undefined>;
  /** The steps after `version`, in order. */
  readonly since: (orgId: OrgId, version: number) => Promise<readonly Step[]>;
};

export type Snapshots = {
  /** The organization if it is in memory: the hot path's own. */
  readonly peek: (orgId: OrgId) => OrgSnapshot | undefined;
  /** The organization, loaded if need be. Rejects with `not_found`. */
  readonly get: (orgId: OrgId) => Promise<OrgSnapshot>;
  /** Installs a published step, forward only; a gap is filled from the source. */
  readonly publish: (step: Step) => void;
  /** Brings a loaded organization to at least `version`. */
  readonly catchUp: (orgId: OrgId, version: number) => Promise<void>;
};

export type SnapshotOptions = {
  readonly maxOrganizations: number;
  readonly onLoad: (snapshot: OrgSnapshot) => Promise<void>;
  /** Hears each snapshot that moved, after the fact. */
  readonly onAdvance: (snapshot: OrgSnapshot, changes: readonly Change[]) => void;
  readonly mayEvict: (orgId: OrgId) => boolean;
  readonly onError: (error: unknown, orgId: OrgId) => void;
};

/** Moves a snapshot by one step, forward only. False: steps between are missing. */
function install(snapshot: OrgSnapshot, step: Step, onAdvance: SnapshotOptions['onAdvance']): boolean {
  const current = snapshot.version();
  if (step.version <= current) return true;
  if (step.version !== current + 1) return false;
  snapshot.advance(step.version, step.changes, step.policy);
  onAdvance(snapshot, step.changes);
  return true;
}

/** Fills gaps from the source, one at a time for each organization: who asks meanwhile gets a later one. */
function createFiller(
  source: SnapshotSource,
  loaded: ReadonlyMap<OrgId, OrgSnapshot>,
  onAdvance: SnapshotOptions['onAdvance'],
): (orgId: OrgId) => Promise<void> {
  const filling = new Map<OrgId, Promise<void>>();

  async function fillOnce(orgId: OrgId): Promise<void> {
    const snapshot = loaded.get(orgId);
    if (snapshot === undefined) return;
    for (const step of await source.since(orgId, snapshot.version())) install(snapshot, step, onAdvance);
  }

  return (orgId) => {
    const running = filling.get(orgId);
    if (running !== undefined) return running.then(() => fillOnce(orgId));
    const started = fillOnce(orgId).finally(() => filling.delete(orgId));
    filling.set(orgId, started);
    return started;
  };
}

/** Organizations in memory, `maxOrganizations` at most: the least recently loaded goes first. */
export function createSnapshots(source: SnapshotSource, options: SnapshotOptions): Snapshots {
  const { onAdvance, onError } = options;
  const loaded = new Map<OrgId, OrgSnapshot>();
  const loading = new Map<OrgId, Promise<OrgSnapshot>>();
  const fill = createFiller(source, loaded, onAdvance);

  function evict(): void {
    for (const orgId of loaded.keys()) {
      if (loaded.size <= options.maxOrganizations) return;
      if (options.mayEvict(orgId)) loaded.delete(orgId);
    }
  }

  async function load(orgId: OrgId): Promise<OrgSnapshot> {
    const found = await source.load(orgId);
    if (found === undefined) throw new AppError('not_found', `there is no organization \`${orgId}\``);
    shareStrings(found.changes);
    const snapshot = createOrgSnapshot(orgId, found);
    await options.onLoad(snapshot);
    loaded.set(orgId, snapshot);
    // What was published while this loaded went past it.
    await fill(orgId);
    evict();
    return snapshot;
  }

  return {
    peek: (orgId) => loaded.get(orgId),
    async get(orgId) {
      const known = loaded.get(orgId);
      if (known !== undefined) return known;
      const underway = loading.get(orgId);
      if (underway !== undefined) return underway;
      const started = load(orgId).finally(() => loading.delete(orgId));
      loading.set(orgId, started);
      return started;
    },
    publish(step) {
      const snapshot = loaded.get(step.orgId);
      if (snapshot === undefined) return;
      try {
        if (install(snapshot, step, onAdvance)) return;
      } catch (error) {
        // INVARIANT: a snapshot that cannot follow may not decide: it is loaded anew or not at all.
        loaded.delete(step.orgId);
        onError(error, step.orgId);
        return;
      }
      fill(step.orgId).catch((error: unknown) => onError(error, step.orgId));
    },
    async catchUp(orgId, version) {
      const snapshot = loaded.get(orgId);
      if (snapshot !== undefined && snapshot.version() < version) await fill(orgId);
    },
  };
}
