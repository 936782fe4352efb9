// Owns the offline verification of an exported directory, and the honest account of what it was held against.

import { type CheckpointProblem, openCheckpoint } from '@countersign/core/ledger/checkpoint';
import type { Cosignature } from '@countersign/core/ledger/cosignature';
import { toHex } from '@countersign/core/ledger/encoding';
import {
  formatVerifierKey,
  parseVerifierKey,
  signatureTypes,
  type VerifierKey,
} from '@countersign/core/ledger/note';
import { parseTilePath, tileAt } from '@countersign/core/ledger/tile';
import { type Finding, type HeldHead, verifyLog } from '@countersign/core/ledger/verify-log';
import { heldNote } from './held-checkpoint.ts';
import { nodeVerifying, strictText } from './node-verifying.ts';
import { type ExportDirectory, exportFiles, openExport, UnexpectedFileError } from './read-export.ts';
import {
  logKeyOf,
  readCosignatures,
  readTrusted,
  type Trusted,
  type TrustFinding,
  type TrustOptions,
} from './trusted.ts';
import { type CopyFinding, verifyCopies } from './verify-copies.ts';

/** `vkey`: without it, and without a policy, the export's own `vkey` file serves. */
export type VerifyOptions = TrustOptions & {
  /** A signed checkpoint of this log that was received earlier and kept elsewhere: the note, or the API's JSON. */
  readonly since?: string;
  /** False leaves `entries.jsonl` and `leaf-hashes.txt` unread. */
  readonly copies?: boolean;
};

export type DirectoryFinding =
  | Finding
  | CopyFinding
  | TrustFinding
  | { readonly kind: 'key_missing'; readonly file: string }
  | { readonly kind: 'held_refused'; readonly problem: CheckpointProblem }
  | { readonly kind: 'file_unexpected'; readonly file: string };

export type DirectoryVerification =
  | {
      readonly ok: true;
      readonly origin: string;
      readonly size: number;
      /** Hex. */
      readonly root: string;
      /** The log's verifier key, as its checkpoint is signed with. */
      readonly verifierKey: string;
      /** Where the log's key came from: `export` proves nothing about who wrote it. */
      readonly key: 'given' | 'policy' | 'export';
      /** The size of the held checkpoint; 0 if none was given. The first so many entries are held by it. */
      readonly heldSize: number;
      readonly cosignatures: readonly Cosignature[];
      /** Witnesses of the policy that have not cosigned, though enough have. */
      readonly missing: readonly string[];
      readonly copiesChecked: boolean;
    }
  | { readonly ok: false; readonly finding: DirectoryFinding };

type Against = {
  readonly key: VerifierKey;
  readonly keySource: 'given' | 'policy' | 'export';
  readonly held: readonly HeldHead[];
  readonly trusted: Trusted;
};

class Found extends Error {
  readonly finding: DirectoryFinding;
  constructor(finding: DirectoryFinding) {
    super(finding.kind);
    this.finding = finding;
  }
}

/**
 * Verifies an exported log offline: signature, every entry, every tile, the root, then whatever is given to
 * hold it against. Never trusts a file that it did not compare. Rejects only when the directory cannot be read.
 */
export async function verifyDirectory(
  directory: string,
  options: VerifyOptions = {},
): Promise<DirectoryVerification> {
  try {
    return await verifyOrThrow(openExport(directory), options);
  } catch (error) {
    if (error instanceof Found) return { ok: false, finding: error.finding };
    if (error instanceof UnexpectedFileError)
      return { ok: false, finding: { kind: 'file_unexpected', file: error.file } };
    throw error;
  }
}

async function verifyOrThrow(
  source: ExportDirectory,
  options: VerifyOptions,
): Promise<DirectoryVerification> {
  const file = exportFiles.checkpoint;
  const bytes = source.read(file);
  if (bytes === undefined) throw new Found({ kind: 'file_missing', file, index: 0 });
  const checkpoint = strictText(bytes);
  if (checkpoint === undefined) throw new Found({ kind: 'checkpoint_malformed', file });
  const against = readOptions(source, options, checkpoint);
  const verified = await verifyLog(nodeVerifying, {
    key: against.key,
    checkpoint,
    read: source.read,
    held: against.held,
  });
  if (!verified.ok) throw new Found(verified.finding);
  const { note, checkpoint: head } = verified.signed;
  const witnesses = readCosignatures(against.trusted, note);
  if (!witnesses.ok) throw new Found(witnesses.finding);
  refuseUnexpectedFiles(source, head.size);
  const copiesChecked = options.copies !== false;
  const copy = copiesChecked ? verifyCopies(nodeVerifying, source, head.size) : undefined;
  if (copy !== undefined) throw new Found(copy);
  return {
    ok: true,
    origin: head.origin,
    size: head.size,
    root: toHex(head.root),
    verifierKey: formatVerifierKey(against.key),
    key: against.keySource,
    heldSize: against.held[0]?.size ?? 0,
    ...witnesses.witnessed,
    copiesChecked,
  };
}

function readOptions(source: ExportDirectory, options: VerifyOptions, checkpoint: string): Against {
  const read = readTrusted(options);
  if (!read.ok) throw new Found(read.finding);
  const { trusted } = read;
  const chosen = logKeyOf(trusted, checkpoint);
  if (!chosen.ok) throw new Found(chosen.finding);
  const key = chosen.key ?? exportedKey(source);
  const held: HeldHead[] = [];
  if (options.since !== undefined) {
    const note = heldNote(options.since);
    if (note === undefined) throw new Found({ kind: 'held_refused', problem: 'checkpoint_malformed' });
    const opened = openCheckpoint(nodeVerifying, note, key);
    if (!opened.ok) throw new Found({ kind: 'held_refused', problem: opened.problem });
    const { size, root } = opened.signed.checkpoint;
    held.push({ name: 'the held checkpoint', size, root });
  }
  const keySource = options.vkey !== undefined ? 'given' : options.policy !== undefined ? 'policy' : 'export';
  return { key, keySource, held, trusted };
}

function exportedKey(source: ExportDirectory): VerifierKey {
  const file = exportFiles.vkey;
  const text = strictText(source.read(file) ?? new Uint8Array(0));
  const key = parseVerifierKey(nodeVerifying, text?.trim() ?? '');
  if (key?.type === signatureTypes.ed25519) return key;
  throw new Found({ kind: 'key_missing', file });
}

/** A tile that the tree does not have would be read by tools that trust file names: it is a finding. */
function refuseUnexpectedFiles(source: ExportDirectory, size: number): void {
  for (const { path: file, plain } of source.list()) {
    const tile = plain ? parseTilePath(file) : undefined;
    const expected = tile === undefined ? undefined : tileAt(size, tile.level, tile.index);
    if (expected === undefined || expected.width !== tile?.width)
      throw new Found({ kind: 'file_unexpected', file });
  }
}
