// Owns signing the sample log, for tests: a key, a checkpoint and bundles, as an export is written from them.

import { type KeyObject, sign } from 'node:crypto';
import { signCheckpoint } from '@countersign/core/ledger/checkpoint';
import { formatVerifierKey } from '@countersign/core/ledger/note';
import { encodeBundle, tileWidth } from '@countersign/core/ledger/tile';
import { formatTlogProof } from '@countersign/core/ledger/tlog-proof';
import {
  appendLeaves,
  createTreeHasher,
  emptyFrontier,
  frontierRoot,
  inclusionProof,
} from '@countersign/core/ledger/tree';
import { nodeVerifying } from '../ledger/node-verifying.ts';
import { origin } from './sample-changes.ts';
import { sampleKey, verifierKeyOf } from './sample-key.ts';

export type SignedSample = {
  readonly vkey: string;
  readonly checkpoint: string;
  readonly entries: readonly Uint8Array[];
  /** 256 entries each. */
  readonly bundles: readonly Uint8Array[];
  /** The receipt of the entry at this place. */
  readonly receipt: (index: number) => string;
};

/** Signs a log of these texts: with the key that its first entry names, unless told otherwise. */
export function signSample(
  texts: readonly string[],
  name: string = origin,
  signingKey: KeyObject = sampleKey(),
): SignedSample {
  const { utf8, sha256 } = nodeVerifying;
  const hasher = createTreeHasher(sha256);
  const key = verifierKeyOf(signingKey, name);
  const entries = texts.map(utf8);
  const leaves = entries.map(hasher.leaf);
  const size = leaves.length;
  const hashOf = (low: number, high: number) =>
    frontierRoot(hasher, appendLeaves(hasher, emptyFrontier, leaves.slice(low, high)));
  const checkpoint = signCheckpoint(utf8, key, { size, root: hashOf(0, size) }, (message) =>
    sign(null, message, signingKey),
  );
  return {
    vkey: formatVerifierKey(key),
    checkpoint,
    entries,
    bundles: Array.from({ length: Math.ceil(size / tileWidth) }, (_, i) =>
      encodeBundle(entries.slice(i * tileWidth, (i + 1) * tileWidth)),
    ),
    receipt: (index) => formatTlogProof({ index, hashes: inclusionProof(index, size, hashOf), checkpoint }),
  };
}
