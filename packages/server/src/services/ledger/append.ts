// Owns appending entries to one log inside a transaction: places, bundle, tiles, checkpoint, head.

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

export type Appended = {
  readonly firstIndex: number;
  readonly checkpoint: string;
  /** The log as it is when the transaction has committed. */
  readonly state: LogState;
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

/**
 * Gives entries their places at the end of the log, signs the new checkpoint and moves the head, all inside
 * `tx`. `bundle` is the entries in their stored form. INVARIANT: nothing of the result may leave before the
 * transaction has committed, above all not the signature.
 */
export async function appendEntries(
  deps: { readonly hasher: TreeHasher; readonly built: BuiltStatements },
  tx: Tx,
  orgId: OrgId,
  { signer, head, edge: known }: LogState,
  input: AppendInput,
): Promise<Appended> {
  const { hasher, built } = deps;
  const edge = known?.size === head.size ? known : await loadEdge(tx, hasher, orgId, head.size);
  const leaves = input.entries.map((entry) => hasher.leaf(entry));
  const frontier = appendLeaves(hasher, frontierOf(head), leaves);
  const root = frontierRoot(hasher, frontier);
  const checkpoint = signCheckpoint(utf8, signer.key, { size: frontier.size, root }, signer.sign);
  if (input.entries.length > 0) {
    const bundle = { firstIndex: head.size, count: input.entries.length, bytes: input.bundle };
    await insertBundle(tx, orgId, bundle, built);
  }
  const grown = await growEdge(tx, hasher, orgId, edge, leaves);
  const { version } = input;
  const next = { ...head, version, size: frontier.size, frontier: packFrontier(frontier), checkpoint };
  await advanceHead(tx, orgId, head, next, built);
  return { firstIndex: head.size, checkpoint, state: { signer, head: next, edge: grown } };
}
