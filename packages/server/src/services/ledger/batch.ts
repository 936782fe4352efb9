// Owns the shape of a batch of entries on its way from the recorder to the committer, and of the answer.

import type { OrgId } from '@countersign/core/ids';
import type { ProviderObject } from '../../stores/provider-objects.ts';
import type { Sidecar } from '../../stores/secrets.ts';

export type Beside<T> = { readonly position: number; readonly value: T };

/**
 * Entries of one organization, in their order. `versions[i]` is the version under which entry `i` was decided,
 * or -1 for an entry that is a fact and holds under any version (an outcome, an alert).
 */
export type OrgBatch = {
  readonly orgId: OrgId;
  /** The place that its first entry has been promised; absent where none was. */
  readonly at?: number;
  /** (u16 big-endian length ‖ entry) for each. */
  readonly bundle: Uint8Array;
  readonly versions: readonly number[];
  /** What lies beside an entry, with the entry's position in this batch: written only if the entry is. */
  readonly sidecars: readonly Beside<Sidecar>[];
  readonly objects: readonly Beside<ProviderObject>[];
};

/**
 * What became of the batch. `indices[i]` is the entry's place in the log, or -1 where the entry was decided
 * under an older version than the organization now has: it was not recorded, decide again.
 */
export type OrgCommit = {
  readonly orgId: OrgId;
  readonly version: number;
  readonly indices: readonly number[];
};
