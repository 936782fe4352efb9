// Owns the payload of a frame of the journal: batches with their places, as they wait to be taken in.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { parseJson } from '@countersign/core/parse-json';
import type { Take } from '../../platform/memory/arena.ts';
import { copyInto } from '../../platform/memory/copy.ts';
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

type DescribedSidecar = {
  readonly position: number;
  readonly value: Omit<Sidecar, 'sealed'>;
  readonly bytes: number;
};

type Described = Pick<PlacedBatch, 'orgId' | 'at' | 'count' | 'objects'> & {
  readonly bundleBytes: number;
  readonly sidecars: readonly DescribedSidecar[];
};

type Description = { readonly format: 1; readonly batches: readonly Described[] };

/** INVARIANT: a frame is of this process, or its hash has shown that it is what `encodePayload` made. */
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

/**
 * The batches of a payload, whose bytes stay where they are. Throws `internal` for one that another release wrote in
 * another form.
 */
export function decodePayload(payload: Buffer): readonly PlacedBatch[] {
  const start = 4 + payload.readUInt32BE(0);
  const description: unknown = parseJson(payload.toString('utf8', 4, start));
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

/** A part of what a log gets: batches that follow each other. */
type Part = {
  readonly batches: PlacedBatch[];
  readonly at: number;
  count: number;
  bytes: number;
};

function addTo(part: Part, batch: PlacedBatch): void {
  part.batches.push(batch);
  part.count += batch.count;
  part.bytes += batch.bundle.length;
}

function join(orgId: OrgId, { batches, at, count, bytes }: Part, take: Take): OrgBatch {
  const bundle = take(bytes);
  const sidecars: Beside<Sidecar>[] = [];
  const objects: Beside<ProviderObject>[] = [];
  let used = 0;
  let before = 0;
  for (const batch of batches) {
    copyInto(bundle, used, batch.bundle);
    used += batch.bundle.length;
    for (const { position, value } of batch.sidecars) sidecars.push({ position: position + before, value });
    for (const { position, value } of batch.objects) objects.push({ position: position + before, value });
    before += batch.count;
  }
  return { orgId, at, bundle, versions: new Array<number>(count).fill(-1), sidecars, objects };
}

export type Joiner = {
  readonly add: (batch: PlacedBatch) => void;
  /**
   * The batches of each log, in their order and joined to fewer. Bundles are copied to what `take` gives; sealed sidecars
   * stay where they are.
   */
  readonly joined: (take: Take) => ReadonlyMap<OrgId, readonly OrgBatch[]>;
};

/** Joins batches, whose bytes have to stay until they are joined. */
export function createJoiner(): Joiner {
  const parts = new Map<OrgId, Part[]>();
  return {
    add(batch) {
      const { orgId, at, count } = batch;
      const own = parts.get(orgId) ?? [];
      parts.set(orgId, own);
      const last = own.at(-1);
      // A batch that does not follow is a part of its own: its place is then held to the log's.
      const follows = last !== undefined && last.at + last.count === at;
      if (follows && last.count + count <= bundleEntries) {
        addTo(last, batch);
        return;
      }
      const part = { batches: [], at, count: 0, bytes: 0 };
      own.push(part);
      addTo(part, batch);
    },
    joined: (take) => new Map([...parts].map(([id, own]) => [id, own.map((part) => join(id, part, take))])),
  };
}
