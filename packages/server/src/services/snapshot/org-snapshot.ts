// Owns one organization in memory: its directory at a version, with all that is compiled from it.

import { compileClassifiers, type OrgClassifiers } from '@countersign/core/classify/custom';
import { classifierSpecs } from '@countersign/core/directory/classifiers';
import {
  applyChanges,
  type Directory,
  emptyDirectory,
  organizationOf,
} from '@countersign/core/directory/directory';
import type { Change, Organization } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { ActorChain } from '@countersign/core/identity/actor';
import type { KeyMemory } from '@countersign/core/identity/resolve';
import type { OrgId } from '@countersign/core/ids';
import { type Fragment, fragment } from '@countersign/core/ledger/canonical';
import { type ActivePolicy, activatePolicy, type PolicySource } from './active-policy.ts';
import { type ActorFacts, createActorFacts } from './actor-facts.ts';
import { createDerived, type Derived, leavesDerived } from './derived.ts';
import { createRendered, type Rendered } from './rendered.ts';

/** An organization at one version. INVARIANT: what is read between two awaits belongs to one version. */
export type OrgSnapshot = Derived & {
  readonly orgId: OrgId;
  /** The name of the organization's ledger. */
  readonly origin: string;
  /** The same, as it stands in entries. */
  readonly originText: Fragment;
  readonly version: () => number;
  readonly directory: Directory;
  readonly organization: () => Organization;
  readonly policy: () => ActivePolicy;
  readonly classifiers: () => OrgClassifiers | undefined;
  /** What follows from an actor chain in this version. */
  readonly facts: (actor: ActorChain) => ActorFacts;
  /** Whom keys resolve to. Empty after each advance. */
  readonly keyMemory: KeyMemory;
  /** Parts of entries rendered once a version. Empty after each advance. */
  readonly rendered: Rendered;
  /** Advances to `version`; a policy change must come with its source. Throws if `version` is not the next. */
  readonly advance: (version: number, changes: readonly Change[], policy: PolicySource | undefined) => void;
};

/** Everything that an organization has, at one version. */
export type Loaded = {
  readonly version: number;
  readonly origin: string;
  readonly changes: readonly Change[];
  readonly policy: PolicySource;
};

function compileOwn(directory: Directory): OrgClassifiers | undefined {
  const specs = classifierSpecs(directory);
  return specs.length === 0 ? undefined : compileClassifiers(String(directory.at.version), specs);
}

/** A snapshot from everything that an organization has. */
export function createOrgSnapshot(orgId: OrgId, loaded: Loaded): OrgSnapshot {
  const directory = emptyDirectory(orgId);
  applyChanges(directory, loaded.version, loaded.changes);
  let policy = activatePolicy(loaded.policy);
  let classifiers = compileOwn(directory);
  let derived = createDerived(directory);
  let facts = createActorFacts(directory);
  const rendered = createRendered();
  const keyMemory: KeyMemory = new Map();
  return {
    orgId,
    origin: loaded.origin,
    originText: fragment(loaded.origin),
    directory,
    keyMemory,
    rendered,
    version: () => directory.at.version,
    organization: () => organizationOf(directory),
    policy: () => policy,
    classifiers: () => classifiers,
    standing: (principalId, workspaceId) => derived.standing(principalId, workspaceId),
    principal: (actor) => derived.principal(actor),
    facts: (actor) => facts(actor),
    model: (model, provider) => derived.model(model, provider),
    price: (model, provider) => derived.price(model, provider),
    advance(version, changes, source) {
      if (version !== directory.at.version + 1) {
        throw new AppError('internal', `version ${version} does not follow ${directory.at.version}`);
      }
      const changesPolicy = changes.some(({ kind }) => kind === 'policy');
      if (changesPolicy && source === undefined)
        throw new AppError('internal', 'a policy came without its text');
      // Compiled first: a policy that fails leaves the snapshot where it was.
      const next = changesPolicy && source !== undefined ? activatePolicy(source) : policy;
      applyChanges(directory, version, changes);
      policy = next;
      rendered.clear();
      keyMemory.clear();
      facts = createActorFacts(directory);
      if (changes.some(({ kind }) => kind === 'classifier')) classifiers = compileOwn(directory);
      if (!leavesDerived(changes)) derived = createDerived(directory);
    },
  };
}
