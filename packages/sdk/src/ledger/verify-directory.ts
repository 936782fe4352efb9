// Owns the offline verification of an exported directory, and the honest account of what it was held against.

import {
  type CheckpointProblem,
  openCheckpoint,
  parseSignedCheckpoint,
} from '@countersign/core/ledger/checkpoint';
import { type Cosignature, checkCosignature } from '@countersign/core/ledger/cosignature';
import { toHex } from '@countersign/core/ledger/encoding';
import { type LogPolicy, parseLogPolicy, quorumMet } from '@countersign/core/ledger/log-policy';
import {
  formatVerifierKey,
  type Note,
  parseVerifierKey,
  signatureTypes,
  type VerifierKey,
} from '@countersign/core/ledger/note';
import { parseTilePath, tileAt } from '@countersign/core/ledger/tile';
import { type Finding, type HeldHead, verifyLog } from '@countersign/core/ledger/verify-log';
import { heldNote } from './held-checkpoint.ts';
import { nodeVerifying, strictText } from './node-verifying.ts';
import { type ExportDirectory, exportFiles, openExport, UnexpectedFileError } from './read-export.ts';
import { type CopyFinding, verifyCopies } from './verify-copies.ts';

export type VerifyOptions = {
  /** The log's verifier key, received apart from the export. Without it the export's own `vkey` file serves. */
  readonly vkey?: string;
  /** A signed checkpoint of this log that was received earlier and kept elsewhere: the note, or the API's JSON. */
  readonly since?: string;
  /** Verifier keys (type 4) of witnesses whose cosignatures count. */
  readonly witnesses?: readonly string[];
  /** A tlog-policy file: names the log's key, the witnesses, and how many must agree. */
  readonly policy?: string;
  /** False leaves `entries.jsonl` and `leaf-hashes.txt` unread. */
  readonly copies?: boolean;
};

export type DirectoryFinding =
  | Finding
  | CopyFinding
  | { readonly kind: 'input_unusable'; readonly input: keyof VerifyOptions; readonly reason: string }
  | { readonly kind: 'key_missing'; readonly file: string }
  | { readonly kind: 'held_refused'; readonly problem: CheckpointProblem }
  | { readonly kind: 'cosignature_invalid'; readonly witness: string }
  | { readonly kind: 'quorum_not_met'; readonly cosigned: readonly string[] }
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
      readonly copiesChecked: boolean;
    }
  | { readonly ok: false; readonly finding: DirectoryFinding };

type Against = {
  readonly key: VerifierKey;
  readonly keySource: 'given' | 'policy' | 'export';
  readonly held: readonly HeldHead[];
  readonly witnesses: readonly { readonly name: string; readonly key: VerifierKey }[];
  readonly policy: LogPolicy | undefined;
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
  const cosignatures = readCosignatures(against, note);
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
    cosignatures,
    copiesChecked,
  };
}

function readOptions(source: ExportDirectory, options: VerifyOptions, checkpoint: string): Against {
  const parsed = options.policy === undefined ? undefined : parseLogPolicy(nodeVerifying, options.policy);
  if (parsed?.ok === false) {
    throw new Found({
      kind: 'input_unusable',
      input: 'policy',
      reason: `line ${parsed.line}: ${parsed.reason}`,
    });
  }
  const policy = parsed?.policy;
  const { key, keySource } = chooseKey(source, options, policy, checkpoint);
  const listed = (options.witnesses ?? []).map((text) => {
    const witness = parseVerifierKey(nodeVerifying, text.trim());
    if (witness?.type === signatureTypes.cosignature) return { name: witness.name, key: witness };
    throw new Found({ kind: 'input_unusable', input: 'witnesses', reason: 'not a verifier key of type 4' });
  });
  const held: HeldHead[] = [];
  if (options.since !== undefined) {
    const note = heldNote(options.since);
    if (note === undefined) throw new Found({ kind: 'held_refused', problem: 'checkpoint_malformed' });
    const opened = openCheckpoint(nodeVerifying, note, key);
    if (!opened.ok) throw new Found({ kind: 'held_refused', problem: opened.problem });
    const { size, root } = opened.signed.checkpoint;
    held.push({ name: 'the held checkpoint', size, root });
  }
  return { key, keySource, held, witnesses: [...(policy?.witnesses ?? []), ...listed], policy };
}

function chooseKey(
  source: ExportDirectory,
  options: VerifyOptions,
  policy: LogPolicy | undefined,
  checkpoint: string,
): Pick<Against, 'key' | 'keySource'> {
  if (options.vkey !== undefined) {
    const key = parseVerifierKey(nodeVerifying, options.vkey.trim());
    if (key?.type === signatureTypes.ed25519) return { key, keySource: 'given' };
    throw new Found({ kind: 'input_unusable', input: 'vkey', reason: 'not a verifier key of type 1' });
  }
  if (policy !== undefined) {
    const origin = parseSignedCheckpoint(checkpoint)?.checkpoint.origin;
    const log = policy.logs.find(({ key }) => key.name === origin);
    if (log !== undefined) return { key: log.key, keySource: 'policy' };
    throw new Found({ kind: 'input_unusable', input: 'policy', reason: 'it does not name this log' });
  }
  const file = exportFiles.vkey;
  const key = parseVerifierKey(
    nodeVerifying,
    strictText(source.read(file) ?? new Uint8Array(0))?.trim() ?? '',
  );
  if (key?.type === signatureTypes.ed25519) return { key, keySource: 'export' };
  throw new Found({ kind: 'key_missing', file });
}

function readCosignatures(against: Against, note: Note): readonly Cosignature[] {
  const valid = new Map<string, Cosignature>();
  for (const { name, key } of against.witnesses) {
    const check = checkCosignature(nodeVerifying, note, key);
    if (check.state === 'invalid') throw new Found({ kind: 'cosignature_invalid', witness: key.name });
    if (check.state === 'valid') valid.set(name, check.cosignature);
  }
  if (against.policy !== undefined && !quorumMet(against.policy, new Set(valid.keys()))) {
    throw new Found({ kind: 'quorum_not_met', cosigned: [...valid.keys()] });
  }
  return [...new Map([...valid.values()].map((cosignature) => [cosignature.witness, cosignature])).values()];
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
