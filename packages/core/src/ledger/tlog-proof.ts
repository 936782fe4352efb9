// Owns receipts (C2SP tlog-proof): one record's place in a signed tree as one text file, checked offline.

import { type CheckpointProblem, openCheckpoint, parseDecimal, type SignedCheckpoint } from './checkpoint.ts';
import { fromBase64, toBase64 } from './encoding.ts';
import type { VerifierKey } from './note.ts';
import type { Verifying } from './primitives.ts';
import { createTreeHasher, verifyInclusion } from './tree.ts';

const header = 'c2sp.org/tlog-proof@v1';
const maxProofHashes = 63;

export type TlogProof = {
  /** Bytes for the reader that nothing authenticates. */
  readonly extra?: Uint8Array;
  readonly index: number;
  /** The leaf's sibling first, the root's child last. */
  readonly hashes: readonly Uint8Array[];
  /** The signed checkpoint, verbatim. */
  readonly checkpoint: string;
};

/** The text of a `.tlog-proof` file. */
export function formatTlogProof(proof: TlogProof): string {
  const extra = proof.extra === undefined ? '' : `extra ${toBase64(proof.extra)}\n`;
  const hashes = proof.hashes.map((hash) => `${toBase64(hash)}\n`).join('');
  return `${header}\n${extra}index ${proof.index}\n${hashes}\n${proof.checkpoint}`;
}

/** Reads a `.tlog-proof` file; undefined if it is malformed. Verifies nothing. */
export function parseTlogProof(source: string): TlogProof | undefined {
  const split = source.indexOf('\n\n');
  if (split < 0) return undefined;
  const [first, ...lines] = source.slice(0, split).split('\n');
  if (first !== header) return undefined;
  const extraText = lines[0]?.startsWith('extra ') ? lines.shift()?.slice('extra '.length) : undefined;
  const extra = extraText === undefined ? undefined : fromBase64(extraText);
  if (extraText !== undefined && extra === undefined) return undefined;
  const indexLine = lines.shift() ?? '';
  const index = indexLine.startsWith('index ') ? parseDecimal(indexLine.slice('index '.length)) : undefined;
  if (index === undefined || lines.length > maxProofHashes) return undefined;
  const hashes: Uint8Array[] = [];
  for (const line of lines) {
    const hash = fromBase64(line);
    if (hash?.length !== 32) return undefined;
    hashes.push(hash);
  }
  const checkpoint = source.slice(split + 2);
  return extra === undefined ? { index, hashes, checkpoint } : { extra, index, hashes, checkpoint };
}

export type ReceiptProblem = CheckpointProblem | 'receipt_malformed' | 'record_not_included';

export type VerifiedReceipt =
  | { readonly ok: true; readonly index: number; readonly signed: SignedCheckpoint }
  | { readonly ok: false; readonly problem: ReceiptProblem };

/** Checks that the log's key signed a tree that holds exactly these record bytes at the receipt's index. */
export function verifyTlogProof(
  deps: Verifying,
  source: string,
  record: Uint8Array,
  key: VerifierKey,
): VerifiedReceipt {
  const proof = parseTlogProof(source);
  if (proof === undefined) return { ok: false, problem: 'receipt_malformed' };
  const opened = openCheckpoint(deps, proof.checkpoint, key);
  if (!opened.ok) return opened;
  const hasher = createTreeHasher(deps.sha256);
  const { size, root } = opened.signed.checkpoint;
  const leaf = hasher.leaf(record);
  return verifyInclusion(hasher, { index: proof.index, size, leaf, root }, proof.hashes)
    ? { ok: true, index: proof.index, signed: opened.signed }
    : { ok: false, problem: 'record_not_included' };
}
