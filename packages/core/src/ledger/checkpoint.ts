// Owns checkpoints (C2SP tlog-checkpoint): a log's name, size and root as the text of a signed note.

import { fromBase64, toBase64 } from './encoding.ts';
import { checkNote, formatNote, type Note, parseNote, signNote, type VerifierKey } from './note.ts';
import type { SignEd25519, Utf8, Verifying } from './primitives.ts';

export type Checkpoint = {
  /** The log's identity: its public host and path, without a scheme. */
  readonly origin: string;
  /** How many entries the tree holds. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** Further lines. We write none and keep those that we read. */
  readonly extensions: readonly string[];
};

/** A checkpoint as received: its note and what the note says. */
export type SignedCheckpoint = { readonly note: Note; readonly checkpoint: Checkpoint };

const decimal = /^(?:0|[1-9][0-9]{0,15})$/;

/** The decimal without leading zeros as an integer up to 2^53 - 1; undefined for anything else. */
export function parseDecimal(text: string): number | undefined {
  if (!decimal.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The text of a checkpoint: what is signed. */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  const { origin, size, root, extensions } = checkpoint;
  if (origin === '' || root.length !== 32 || !Number.isSafeInteger(size) || size < 0) {
    throw new RangeError('a checkpoint needs an origin, a size and a root of 32 bytes');
  }
  const lines = [origin, String(size), toBase64(root), ...extensions];
  if (lines.some((line) => line === '' || line.includes('\n'))) {
    throw new RangeError('a line of a checkpoint is neither empty nor broken');
  }
  return `${lines.join('\n')}\n`;
}

/** Reads a checkpoint's text; undefined if it is malformed. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  if (!text.endsWith('\n')) return undefined;
  const [origin, sizeText, rootText, ...extensions] = text.slice(0, -1).split('\n');
  const size = parseDecimal(sizeText ?? '');
  const root = fromBase64(rootText ?? '');
  if (origin === undefined || origin === '' || size === undefined || root?.length !== 32) return undefined;
  if (extensions.includes('')) return undefined;
  return { origin, size, root, extensions };
}

/** Reads a signed checkpoint; undefined if the note or its text is malformed. Verifies nothing. */
export function parseSignedCheckpoint(source: string): SignedCheckpoint | undefined {
  const note = parseNote(source);
  const checkpoint = note === undefined ? undefined : parseCheckpoint(note.text);
  return note === undefined || checkpoint === undefined ? undefined : { note, checkpoint };
}

/** Signs the head of a log. INVARIANT: the caller never signs two heads of which neither is a prefix. */
export function signCheckpoint(
  utf8: Utf8,
  key: VerifierKey,
  head: { readonly size: number; readonly root: Uint8Array },
  sign: SignEd25519,
): string {
  // C2SP tlog-checkpoint: the origin should be the name of the log's key, so that one fixes the other.
  const text = formatCheckpoint({ origin: key.name, size: head.size, root: head.root, extensions: [] });
  return formatNote({ text, signatures: [signNote(utf8, key, text, sign)] });
}

export type CheckpointProblem =
  | 'checkpoint_malformed'
  | 'origin_differs'
  | 'signature_missing'
  | 'signature_invalid';

export type OpenedCheckpoint =
  | { readonly ok: true; readonly signed: SignedCheckpoint }
  | { readonly ok: false; readonly problem: CheckpointProblem };

/** Reads a checkpoint and holds it to the log's key, whose name must be its origin. */
export function openCheckpoint(deps: Verifying, source: string, key: VerifierKey): OpenedCheckpoint {
  const signed = parseSignedCheckpoint(source);
  if (signed === undefined) return { ok: false, problem: 'checkpoint_malformed' };
  if (signed.checkpoint.origin !== key.name) return { ok: false, problem: 'origin_differs' };
  const state = checkNote(deps, signed.note, key);
  if (state === 'valid') return { ok: true, signed };
  return { ok: false, problem: state === 'absent' ? 'signature_missing' : 'signature_invalid' };
}
