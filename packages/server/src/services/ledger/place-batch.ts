// Owns which entries of a batch get a place in the log, and which.

import { AppError } from '@countersign/core/errors';
import { decodeBundle, encodeBundle } from '@countersign/core/ledger/tile';
import type { Beside, OrgBatch, OrgCommit } from './batch.ts';
import type { PlacedBatch } from './journal-payload.ts';

/** Where a log stands. */
export type Standing = { readonly version: number; readonly size: number };

/** What holds of a batch, from the log's end on, and what its sender is told. */
export type Placing = { readonly placed: PlacedBatch; readonly reply: OrgCommit };

function placeKept(batch: OrgBatch, { version, size }: Standing, isKept: readonly boolean[]): Placing {
  const { entries, torn } = decodeBundle(batch.bundle);
  if (torn || entries.length !== batch.versions.length)
    throw new AppError('internal', 'a batch arrived torn');
  let count = 0;
  const positions = isKept.map((keep) => {
    if (!keep) return -1;
    count += 1;
    return count - 1;
  });
  const beside = <T>(items: readonly Beside<T>[]): readonly Beside<T>[] =>
    items.flatMap(({ position, value }) => {
      const kept = positions[position] ?? -1;
      return kept < 0 ? [] : [{ position: kept, value }];
    });
  const bundle = encodeBundle(entries.filter((_, i) => isKept[i]));
  const { orgId, sidecars, objects } = batch;
  return {
    placed: { orgId, at: size, count, bundle, sidecars: beside(sidecars), objects: beside(objects) },
    reply: { orgId, version, indices: positions.map((position) => (position < 0 ? -1 : size + position)) },
  };
}

/** Places a batch at the log's end. INVARIANT: an entry that was decided under another version than the log has gets no place. */
export function placeBatch(batch: OrgBatch, standing: Standing): Placing {
  const { orgId, versions, bundle, sidecars, objects } = batch;
  const { version, size } = standing;
  const isKept = versions.map((decided) => decided < 0 || decided === version);
  if (isKept.includes(false)) return placeKept(batch, standing, isKept);
  return {
    placed: { orgId, at: size, count: versions.length, bundle, sidecars, objects },
    reply: { orgId, version, indices: versions.map((_, position) => size + position) },
  };
}
