// Owns the offline verification of an exported directory, and the honest account of what it was held against.

import {
  type Checkpoint,
  type CheckpointProblem,
  openCheckpoint,
  parseSignedCheckpoint,
  type SignedCheckpoint,
} from '@countersign/core/ledger/checkpoint';
import type { Cosignature } from '@countersign/core/ledger/cosignature';
import { toHex } from '@countersign/core/ledger/encoding';
import {
  formatVerifierKey,
  parseVerifierKey,
  signatureTypes,
  type VerifierKey,
} from '@countersign/core/ledger/note';
import { ownerOfOrigin } from '@countersign/core/ledger/origin';
import { parseTilePath, tileAt } from '@countersign/core/ledger/tile';
import { type Finding, type HeldHead, verifyLog } from '@countersign/core/ledger/verify-log';
import { type ContinuedLog, continuedLog } from './continued-log.ts';
import { heldNote } from './held-checkpoint.ts';
import { nodeVerifying, strictText } from './node-verifying.ts';
import type { Progress } from './progress.ts';
import { type ExportDirectory, exportFiles, openExport, UnexpectedFileError } from './read-export.ts';
import { type Handover, readSuccession, type SuccessionFinding } from './succession-beside.ts';
import {
  logKeyOf,
  readCosignatures,
  readTrusted,
  type Trusted,
  type TrustFinding,
  type TrustOptions,
  type Witnessed,
} from './trusted.ts';
import { type CopyFinding, copiesIn, verifyCopies } from './verify-copies.ts';

/** `vkey`: without it, and without a policy, the export's own `vkey` file serves. */
export type VerifyOptions = TrustOptions & {
  /** A signed checkpoint of this log that was received earlier and kept elsewhere: the note, or the API's JSON. */
  readonly since?: string;
  /** The verifier key of the log that this one continues, received earlier: it must have handed over to this log. */
  readonly formerVkey?: string;
  /** False leaves `entries.jsonl`, `leaf-hashes.txt` and every other copy unread. */
  readonly copies?: boolean;
};

export type DirectoryFinding =
  | Finding
  | CopyFinding
  | TrustFinding
  | SuccessionFinding
  | { readonly kind: 'key_missing'; readonly file: string }
  | { readonly kind: 'held_refused'; readonly problem: CheckpointProblem }
  /** The cosigned checkpoint in the export is of another log, or this log's key has not signed it. */
  | { readonly kind: 'cosigned_refused'; readonly problem: CheckpointProblem; readonly file: string }
  /** The held checkpoint is of a former log of the same owner, which this one continues or a log in between did. */
  | {
      readonly kind: 'held_former';
      readonly origin: string;
      readonly size: number;
      readonly cited: ContinuedLog;
    }
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
      /**
       * Where the log's key came from: `former` is the export, where the former log's key, which was given, has handed over
       * to it; `export` proves nothing about who wrote it.
       */
      readonly key: 'given' | 'policy' | 'former' | 'export';
      /** The size of the held checkpoint; 0 if none was given. The first so many entries are held by it. */
      readonly heldSize: number;
      /** How many entries the cosignatures cover; 0 if no witness that was named has cosigned. */
      readonly cosignedSize: number;
      /** The size of a cosigned checkpoint in the export that counts for nothing, since no witness was named. */
      readonly unheldSize: number;
      readonly cosignatures: readonly Cosignature[];
      /** Witnesses of the policy that have not cosigned, though enough have. */
      readonly missing: readonly string[];
      readonly copiesChecked: boolean;
      /** The files of the copies that were compared with the tree. */
      readonly copies: readonly string[];
      /** The log that this one continues, as its first entry cites it; absent where it continues none. */
      readonly continues?: ContinuedLog;
      /** Where that log ended, by a note that its own key has signed; absent where the export has none. */
      readonly handover?: Handover;
    }
  | { readonly ok: false; readonly finding: DirectoryFinding };

type Against = {
  readonly key: VerifierKey;
  readonly keySource: 'given' | 'policy' | 'export';
  readonly held: readonly HeldHead[];
  readonly heldSize: number;
  /** The cosigned checkpoint that lies in the export, signed by the log's key. */
  readonly cosigned: SignedCheckpoint | undefined;
  readonly trusted: Trusted;
  /** What was held, where it is no checkpoint of this log. */
  readonly foreign: Checkpoint | undefined;
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
  progress?: Progress,
): Promise<DirectoryVerification> {
  try {
    return await verifyOrThrow(openExport(directory), options, progress);
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
  progress: Progress | undefined,
): Promise<DirectoryVerification> {
  const file = exportFiles.checkpoint;
  const bytes = source.read(file);
  if (bytes === undefined) throw new Found({ kind: 'file_missing', file, index: 0 });
  const checkpoint = strictText(bytes);
  if (checkpoint === undefined) throw new Found({ kind: 'checkpoint_malformed', file });
  const against = readOptions(source, options, checkpoint);
  const total = parseSignedCheckpoint(checkpoint)?.checkpoint.size ?? 0;
  const verified = await verifyLog(nodeVerifying, {
    key: against.key,
    checkpoint,
    read: source.read,
    held: against.held,
    onEntries: progress === undefined ? undefined : (done) => progress('verifying', done, total),
  });
  if (!verified.ok) throw new Found(verified.finding);
  const { checkpoint: head } = verified.signed;
  const continues = continuedLog(source, head.size);
  const handed = readSuccession(source, against.key, continues, options.formerVkey);
  if (!handed.ok) throw new Found(handed.finding);
  if (against.foreign !== undefined) throw new Found(foreignFinding(against, against.foreign, continues));
  const witnessed = witnessedBy(against, verified.signed);
  refuseUnexpectedFiles(source, head.size);
  const copiesChecked = options.copies !== false;
  const copy = copiesChecked ? verifyCopies(nodeVerifying, source, head.size, progress) : undefined;
  if (copy !== undefined) throw new Found(copy);
  return {
    ok: true,
    origin: head.origin,
    size: head.size,
    root: toHex(head.root),
    verifierKey: formatVerifierKey(against.key),
    key: options.formerVkey !== undefined && against.keySource === 'export' ? 'former' : against.keySource,
    heldSize: against.heldSize,
    ...witnessed,
    copiesChecked,
    copies: copiesChecked ? copiesIn(source) : [],
    ...(continues === undefined ? {} : { continues }),
    ...(handed.handover === undefined ? {} : { handover: handed.handover }),
  };
}

/** What a held checkpoint of another log is: one of a former log of this owner, or nothing of theirs. */
function foreignFinding(
  { key }: Against,
  { origin, size }: Checkpoint,
  cited: ContinuedLog | undefined,
): DirectoryFinding {
  const owner = ownerOfOrigin(key.name);
  return cited !== undefined && owner !== undefined && ownerOfOrigin(origin) === owner
    ? { kind: 'held_former', origin, size, cited }
    : { kind: 'held_refused', problem: 'origin_differs' };
}

function readOptions(source: ExportDirectory, options: VerifyOptions, checkpoint: string): Against {
  const read = readTrusted(options);
  if (!read.ok) throw new Found(read.finding);
  const { trusted } = read;
  const chosen = logKeyOf(trusted, checkpoint);
  if (!chosen.ok) throw new Found(chosen.finding);
  const key = chosen.key ?? exportedKey(source);
  const held: HeldHead[] = [];
  const cosigned = cosignedOf(source, key);
  let heldSize = 0;
  let foreign: Checkpoint | undefined;
  if (options.since !== undefined) {
    const note = heldNote(options.since);
    if (note === undefined) throw new Found({ kind: 'held_refused', problem: 'checkpoint_malformed' });
    const opened = openCheckpoint(nodeVerifying, note, key);
    if (opened.ok) {
      const { size, root } = opened.signed.checkpoint;
      held.push({ name: 'the held checkpoint', size, root });
      heldSize = size;
    } else {
      if (opened.problem !== 'origin_differs')
        throw new Found({ kind: 'held_refused', problem: opened.problem });
      foreign = parseSignedCheckpoint(note)?.checkpoint;
    }
  }
  // Whoever cosigned it, the log's own key signed it: of a log that has another tree now it is evidence.
  if (cosigned !== undefined) {
    const { size, root } = cosigned.checkpoint;
    held.push({ name: 'the cosigned checkpoint', size, root });
  }
  const keySource = options.vkey !== undefined ? 'given' : options.policy !== undefined ? 'policy' : 'export';
  return { key, keySource, held, heldSize, cosigned, trusted, foreign };
}

function cosignedOf(source: ExportDirectory, key: VerifierKey): SignedCheckpoint | undefined {
  const file = exportFiles.cosigned;
  const bytes = source.read(file);
  if (bytes === undefined) return undefined;
  const text = strictText(bytes);
  const opened = text === undefined ? undefined : openCheckpoint(nodeVerifying, text, key);
  if (opened?.ok === true) return opened.signed;
  throw new Found({ kind: 'cosigned_refused', problem: opened?.problem ?? 'checkpoint_malformed', file });
}

type WitnessedPart = Witnessed & { readonly cosignedSize: number; readonly unheldSize: number };

/**
 * Who has cosigned the export's checkpoint, or else the one beside it, which may be older: witnesses cosign now and
 * then. Of two that satisfy what was asked for, the one with more cosignatures counts.
 */
function witnessedBy({ trusted, cosigned }: Against, signed: SignedCheckpoint): WitnessedPart {
  const heads = cosigned === undefined ? [signed] : [signed, cosigned];
  const isNamed = trusted.witnesses.length + trusted.asked.length > 0;
  const unheldSize = isNamed ? 0 : (cosigned?.checkpoint.size ?? 0);
  let best: Witnessed & { readonly cosignedSize: number } = {
    cosignatures: [],
    missing: [],
    cosignedSize: 0,
  };
  let isMet = false;
  let finding: TrustFinding | undefined;
  for (const { note, checkpoint } of heads) {
    const read = readCosignatures(trusted, note);
    if (!read.ok && read.finding.kind === 'cosignature_invalid') throw new Found(read.finding);
    if (!read.ok) finding = read.finding;
    else if (!isMet || read.witnessed.cosignatures.length > best.cosignatures.length) {
      const isCosigned = read.witnessed.cosignatures.length > 0;
      best = { ...read.witnessed, cosignedSize: isCosigned ? checkpoint.size : 0 };
      isMet = true;
    }
  }
  if (!isMet && finding !== undefined) throw new Found(finding);
  return { ...best, unheldSize };
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
