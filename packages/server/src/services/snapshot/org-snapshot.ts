// Owns one organization in memory: its directory at a version, with all that is compiled from it.

import { compileClassifiers, type OrgClassifiers } from '@countersign/core/classify/custom';
import { classifierSpecs } from '@countersign/core/directory/classifiers';
import {
  applyChanges,
  type Directory,
  emptyDirectory,
  organizationOf,
} from '@countersign/core/directory/directory';
import { modelEntity, principalEntity } from '@countersign/core/directory/entities';
import type { Change, Model, Organization, Provider } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { ActorChain, Standing } from '@countersign/core/identity/actor';
import { standingOf } from '@countersign/core/identity/resolve';
import type { OrgId, PrincipalId, WorkspaceId } from '@countersign/core/ids';
import type { Fragment } from '@countersign/core/ledger/canonical';
import { type PricedModel, priceModel } from '@countersign/core/metering/price-table';
import { priceTable } from '@countersign/core/metering/price-table.generated';
import { type CompiledPolicy, compilePolicy } from '@countersign/core/policy/compile';
import type { EntityView } from '@countersign/core/policy/types';

/** A policy as the store keeps it: `compiled` is the checked JSON form. */
export type PolicySource = {
  readonly version: number;
  readonly hash: string;
  readonly text: string;
  readonly compiled: string;
};

export type ActivePolicy = {
  readonly version: number;
  readonly hash: string;
  readonly text: string;
  readonly rules: CompiledPolicy;
};

/** An organization at one version. INVARIANT: what is read between two awaits belongs to one version. */
export type OrgSnapshot = {
  readonly orgId: OrgId;
  /** The name of the organization's ledger. */
  readonly origin: string;
  readonly version: () => number;
  readonly directory: Directory;
  readonly organization: () => Organization;
  readonly policy: () => ActivePolicy;
  readonly classifiers: () => OrgClassifiers | undefined;
  readonly standing: (principalId: PrincipalId, workspaceId: WorkspaceId) => Standing;
  readonly principal: (actor: ActorChain) => EntityView;
  readonly model: (model: Model, provider: Provider) => EntityView;
  /** The price in force of a model; never nothing. */
  readonly price: (model: Model | undefined, provider: Provider) => PricedModel;
  /** Parts of entries rendered once a version, by a name of the caller's choice. Empty after each advance. */
  readonly rendered: Map<string, Fragment>;
  /** Advances to `version`; a policy change must come with its source. Throws if `version` is not the next. */
  readonly advance: (version: number, changes: readonly Change[], policy: PolicySource | undefined) => void;
};

function activate(source: PolicySource): ActivePolicy {
  const est: unknown = JSON.parse(source.compiled);
  if (!Array.isArray(est)) throw new AppError('internal', 'the stored policy is not a list of rules');
  const result = compilePolicy(est);
  if (!result.ok)
    throw new AppError('internal', `the stored policy of version ${source.version} does not compile`);
  return { version: source.version, hash: source.hash, text: source.text, rules: result.policy };
}

/** What follows from a directory and is dear to make: kept until the next version. */
type Derived = {
  readonly standings: Map<string, Standing>;
  readonly principals: Map<string, EntityView>;
  readonly models: Map<string, EntityView>;
  readonly prices: Map<string, PricedModel>;
};

const freshDerived = (): Derived => ({
  standings: new Map(),
  principals: new Map(),
  models: new Map(),
  prices: new Map(),
});

/** True for changes that no standing, principal or model view depends on: keys come and go by the thousand. */
function leavesDerived(changes: readonly Change[]): boolean {
  return changes.every(
    ({ kind }) => kind === 'key' || kind === 'budget' || kind === 'rateLimit' || kind === 'policy',
  );
}

/** A snapshot from everything that an organization has at `version`. */
export function createOrgSnapshot(
  orgId: OrgId,
  loaded: {
    readonly version: number;
    readonly origin: string;
    readonly changes: readonly Change[];
    readonly policy: PolicySource;
  },
): OrgSnapshot {
  const directory = emptyDirectory(orgId);
  let policy: ActivePolicy;
  let classifiers: OrgClassifiers | undefined;
  let derived = freshDerived();
  const rendered = new Map<string, Fragment>();

  function compileOwn(): void {
    const specs = classifierSpecs(directory);
    classifiers = specs.length === 0 ? undefined : compileClassifiers(String(directory.at.version), specs);
  }

  applyChanges(directory, loaded.version, loaded.changes);
  policy = activate(loaded.policy);
  compileOwn();

  return {
    orgId,
    origin: loaded.origin,
    directory,
    rendered,
    version: () => directory.at.version,
    organization: () => organizationOf(directory),
    policy: () => policy,
    classifiers: () => classifiers,
    standing(principalId, workspaceId) {
      const key = `${principalId} ${workspaceId}`;
      const known = derived.standings.get(key);
      if (known !== undefined) return known;
      const made = standingOf(directory, principalId, workspaceId);
      derived.standings.set(key, made);
      return made;
    },
    principal(actor) {
      const key = `${actor.principalId} ${actor.standing.workspaceId}`;
      const known = derived.principals.get(key);
      if (known !== undefined) return known;
      const made = principalEntity(directory, actor);
      derived.principals.set(key, made);
      return made;
    },
    model(model, provider) {
      const known = derived.models.get(model.id);
      if (known !== undefined) return known;
      const made = modelEntity(directory, model, provider);
      derived.models.set(model.id, made);
      return made;
    },
    price(model, provider) {
      if (model === undefined) {
        return { price: organizationOf(directory).defaultPrice, source: 'default', version: 'default' };
      }
      const known = derived.prices.get(model.id);
      if (known !== undefined) return known;
      const asked = { providerKind: provider.kind, upstreamName: model.upstreamName };
      const own = model.price === undefined ? asked : { ...asked, price: model.price };
      const made = priceModel(priceTable, own, organizationOf(directory).defaultPrice);
      derived.prices.set(model.id, made);
      return made;
    },
    advance(version, changes, source) {
      if (version !== directory.at.version + 1) {
        throw new AppError('internal', `version ${version} does not follow ${directory.at.version}`);
      }
      const changesPolicy = changes.some(({ kind }) => kind === 'policy');
      if (changesPolicy && source === undefined)
        throw new AppError('internal', 'a policy came without its text');
      // Compiled first: a policy that fails leaves the snapshot where it was.
      const next = changesPolicy && source !== undefined ? activate(source) : policy;
      applyChanges(directory, version, changes);
      policy = next;
      rendered.clear();
      if (changes.some(({ kind }) => kind === 'classifier')) compileOwn();
      if (!leavesDerived(changes)) derived = freshDerived();
    },
  };
}
