// Owns appending entries to one log inside a transaction: places, bundles, tiles, and one checkpoint and head at its end.

import type { OrgId } from '@countersign/core/ids';
import { signCheckpoint } from '@countersign/core/ledger/checkpoint';
import type { VerifierKey } from '@countersign/core/ledger/note';
import type { SignEd25519 } from '@countersign/core/ledger/primitives';
import { appendLeaves, type Frontier, frontierRoot, type TreeHasher } from '@countersign/core/ledger/tree';
import type { BuiltStatements } from '../../stores/built-statements.ts';
import { insertBundle } from '../../stores/entries.ts';
import { advanceHead, type Head } from '../../stores/heads.ts';
import type { Tx } from '../../stores/schema.ts';
import { utf8 } from './crypto.ts';
import { type Edge, growEdge, loadEdge } from './growing-tiles.ts';

/** A log's name and key, unsealed once and kept by the thread that signs. */
export type LogSigner = { readonly key: VerifierKey; readonly sign: SignEd25519 };

/** A log as a commit left it: its whole head, and the growing edge of its tree where that is known. */
export type LogState = {
  readonly signer: LogSigner;
  readonly head: Head;
  readonly edge: Edge | undefined;
};

/** Entries, their stored form, and the version that the head has afterwards. */
export type AppendInput = {
  readonly entries: readonly Uint8Array[];
  readonly bundle: Uint8Array;
  readonly version: number;
};

type AppendDeps = { readonly hasher: TreeHasher; readonly built: BuiltStatements };

/** A log inside a transaction that appends to it: its head as the store has it, and what has grown from there. */
export type Grown = {
  readonly signer: LogSigner;
  readonly from: Head;
  readonly version: number;
  readonly frontier: Frontier;
  readonly edge: Edge | undefined;
};

/** The edge of a log's tree, as its head has it. */
export function frontierOf(head: Pick<Head, 'size' | 'frontier'>): Frontier {
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < head.frontier.length; at += 32) hashes.push(head.frontier.subarray(at, at + 32));
  return { size: head.size, hashes };
}

function packFrontier(frontier: Frontier): Uint8Array {
  const bytes = new Uint8Array(frontier.hashes.length * 32);
  for (const [i, hash] of frontier.hashes.entries()) bytes.set(hash, i * 32);
  return bytes;
}

/** A log to which nothing is appended yet. */
export function notGrown({ signer, head, edge }: LogState): Grown {
  return { signer, from: head, version: head.version, frontier: frontierOf(head), edge };
}

/** Gives entries their places at the end of the log, inside `tx`. `bundle` is the entries in their stored form. */
export async function growLog(
  { hasher, built }: AppendDeps,
  tx: Tx,
  orgId: OrgId,
  grown: Grown,
  { entries, bundle, version }: AppendInput,
): Promise<Grown> {
  const { size } = grown.frontier;
  const known = grown.edge;
  const edge = known?.size === size ? known : await loadEdge(tx, hasher, orgId, size);
  const leaves = entries.map((entry) => hasher.leaf(entry));
  const frontier = appendLeaves(hasher, grown.frontier, leaves);
  if (entries.length > 0)
    await insertBundle(tx, orgId, { firstIndex: size, count: entries.length, bytes: bundle }, built);
  return { ...grown, version, frontier, edge: await growEdge(tx, hasher, orgId, edge, leaves) };
}

/**
 * Signs the checkpoint of what has grown and moves the head there, inside `tx`: once for a transaction, however many
 * bundles it appends. Returns the log as it is when the transaction has committed. INVARIANT: nothing of the result may
 * leave before that, above all not the signature.
 */
export async function signGrown(
  { hasher, built }: AppendDeps,
  tx: Tx,
  orgId: OrgId,
  { signer, from, version, frontier, edge }: Grown,
): Promise<LogState> {
  const { size } = frontier;
  const root = frontierRoot(hasher, frontier);
  const checkpoint = signCheckpoint(utf8, signer.key, { size, root }, signer.sign);
  const head = { ...from, version, size, frontier: packFrontier(frontier), checkpoint };
  await advanceHead(tx, orgId, from, head, built);
  return { signer, head, edge };
}
