// Owns the payload of a frame of the journal: batches with their places, as they wait to be taken in.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import type { Take } from '../../platform/journal/file.ts';
import type { ProviderObject } from '../../stores/provider-objects.ts';
import type { Sidecar } from '../../stores/secrets.ts';
import type { Beside, OrgBatch } from './batch.ts';

/** A batch whose entries all hold, from a place on. */
export type PlacedBatch = {
  readonly orgId: OrgId;
  readonly at: number;
  readonly count: number;
  readonly bundle: Uint8Array;
  readonly sidecars: readonly Beside<Sidecar>[];
  readonly objects: readonly Beside<ProviderObject>[];
};

type Part = { readonly position: number; readonly value: Omit<Sidecar, 'sealed'>; readonly bytes: number };

type Described = Pick<PlacedBatch, 'orgId' | 'at' | 'count' | 'objects'> & {
  readonly bundleBytes: number;
  readonly sidecars: readonly Part[];
};

type Description = { readonly format: 1; readonly batches: readonly Described[] };

/** INVARIANT: a frame's hash has shown that it is what `encodePayload` made. */
function isDescription(value: unknown): value is Description {
  return typeof value === 'object' && value !== null && 'format' in value && value.format === 1;
}

function describe({ orgId, at, count, bundle, sidecars, objects }: PlacedBatch): Described {
  return {
    orgId,
    at,
    count,
    objects,
    bundleBytes: bundle.length,
    sidecars: sidecars.map(({ position, value: { sealed, ...value } }) => ({
      position,
      value,
      bytes: sealed.length,
    })),
  };
}

/** The description's length (u32 big-endian), the description as JSON, then each batch's bundle and sealed sidecars. */
export function encodePayload(batches: readonly PlacedBatch[]): readonly Uint8Array[] {
  const description: Description = { format: 1, batches: batches.map(describe) };
  const text = Buffer.from(JSON.stringify(description), 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return [
    length,
    text,
    ...batches.flatMap(({ bundle, sidecars }) => [bundle, ...sidecars.map(({ value }) => value.sealed)]),
  ];
}

/** The batches of a payload. Throws `internal` for one that another release wrote in another form. */
export function decodePayload(payload: Buffer): readonly PlacedBatch[] {
  const start = 4 + payload.readUInt32BE(0);
  const description: unknown = JSON.parse(payload.toString('utf8', 4, start));
  if (!isDescription(description)) throw new AppError('internal', 'the journal is of another release');
  let at = start;
  const take = (bytes: number): Uint8Array => {
    at += bytes;
    return payload.subarray(at - bytes, at);
  };
  return description.batches.map(({ bundleBytes, sidecars, ...batch }) => ({
    ...batch,
    bundle: take(bundleBytes),
    sidecars: sidecars.map(({ position, value, bytes }) => ({
      position,
      value: { ...value, sealed: take(bytes) },
    })),
  }));
}

/** Entries that are stored as one, about: whoever reads one of them reads all. */
const bundleEntries = 128;

/** The bytes of all, one after another, in one piece. */
function joinBundles(own: readonly PlacedBatch[], take: Take): Uint8Array {
  const joined = take(own.reduce((sum, { bundle }) => sum + bundle.length, 0));
  let at = 0;
  for (const { bundle } of own) {
    joined.set(bundle, at);
    at += bundle.length;
  }
  return joined;
}

/** Batches of one log that follow each other, as one. */
function join(orgId: OrgId, own: readonly PlacedBatch[], take: Take): OrgBatch {
  const first = own[0]?.at ?? 0;
  const moved = <T>({ at }: PlacedBatch, items: readonly Beside<T>[]): readonly Beside<T>[] =>
    items.map(({ position, value }) => ({ position: position + at - first, value }));
  return {
    orgId,
    at: first,
    bundle: joinBundles(own, take),
    versions: own.flatMap(({ count }) => new Array<number>(count).fill(-1)),
    sidecars: own.flatMap((batch) => moved(batch, batch.sidecars)),
    objects: own.flatMap((batch) => moved(batch, batch.objects)),
  };
}

/** The batches of each log, in their order and joined to fewer, whose bundles lie in what `take` gives. */
export function joinBatches(
  batches: readonly PlacedBatch[],
  take: Take,
): ReadonlyMap<OrgId, readonly OrgBatch[]> {
  const parts = new Map<OrgId, { count: number; own: PlacedBatch[] }[]>();
  for (const batch of batches) {
    const known = parts.get(batch.orgId) ?? [];
    parts.set(batch.orgId, known);
    const last = known.at(-1);
    // A batch that does not follow is a part of its own: its place is then held to the log's.
    const follows = last?.own[0] !== undefined && last.own[0].at + last.count === batch.at;
    if (last === undefined || !follows || last.count + batch.count > bundleEntries)
      known.push({ count: batch.count, own: [batch] });
    else {
      last.own.push(batch);
      last.count += batch.count;
    }
  }
  return new Map([...parts].map(([orgId, own]) => [orgId, own.map((part) => join(orgId, part.own, take))]));
}
