// Owns what a log and a witness say to each other (C2SP tlog-witness, add-checkpoint): the request, and each answer to it.

import { parseDecimal } from './checkpoint.ts';
import { type Cosignature, checkCosignature } from './cosignature.ts';
import { toBase64 } from './encoding.ts';
import {
  maxNoteSignatures,
  type Note,
  type NoteSignature,
  parseSignature,
  signaturesBy,
  type VerifierKey,
} from './note.ts';
import type { Verifying } from './primitives.ts';

/** A request's proof has at most so many hashes. */
const maxProofHashes = 63;

/** The content type of an answer that tells a size. */
const sizeType = 'text/x.tlog.size';

/** How far a witness's clock may be from ours, in seconds, before its cosignature is not believed. */
export const maxClockDifference = 600;

export type AddCheckpoint = {
  /** The size that this witness has cosigned last of this log; 0 if none. */
  readonly oldSize: number;
  /** That the tree of `oldSize` is a prefix of the checkpoint's; empty for size 0. */
  readonly proof: readonly Uint8Array[];
  /** The signed checkpoint, verbatim. */
  readonly checkpoint: string;
};

/** The body of a request. A RangeError for a size that is none, and for more hashes than may be sent. */
export function formatAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  if (!Number.isSafeInteger(oldSize) || oldSize < 0)
    throw new RangeError('an old size is a whole number from 0 on');
  if (proof.length > maxProofHashes) throw new RangeError('a consistency proof has at most 63 hashes');
  const hashes = proof.map((hash) => `${toBase64(hash)}\n`).join('');
  return `old ${oldSize}\n${hashes}\n${checkpoint}`;
}

/** An answer as it came over HTTP. */
export type RawWitnessAnswer = {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: string;
};

export type WitnessAnswer =
  /** The witness has cosigned: its own line, which is valid, and what it says. Of several the latest. */
  | { readonly kind: 'cosigned'; readonly cosignature: Cosignature; readonly signature: NoteSignature }
  /** The witness has cosigned another size last than the request said. */
  | { readonly kind: 'other_size'; readonly size: number }
  /** The witness has another tree of the same or a smaller size: the log was rewritten. */
  | { readonly kind: 'forked' }
  | { readonly kind: 'unknown_log' }
  | { readonly kind: 'signature_refused' }
  /** It says that the request is malformed, or answered with a status that the protocol does not have. */
  | { readonly kind: 'refused'; readonly status: number }
  /** An answer that cannot be believed or read, with why. */
  | { readonly kind: 'unusable'; readonly reason: string };

/** What the answer is held to: what was asked, of whom, and when. */
export type Asked = {
  readonly note: Note;
  readonly oldSize: number;
  readonly size: number;
  readonly witness: VerifierKey;
  /** Seconds since 1970-01-01 UTC. */
  readonly now: number;
};

function unusable(reason: string): WitnessAnswer {
  return { kind: 'unusable', reason };
}

/** Reads a witness's answer. Cosignatures of other keys are passed over; one of its own that is false is not believed. */
export function readWitnessAnswer(deps: Verifying, answer: RawWitnessAnswer, asked: Asked): WitnessAnswer {
  switch (answer.status) {
    case 200:
      return readCosignature(deps, answer.body, asked);
    case 409:
      return readConflict(answer, asked);
    case 422:
      return { kind: 'forked' };
    case 404:
      return { kind: 'unknown_log' };
    case 403:
      return { kind: 'signature_refused' };
    default:
      return { kind: 'refused', status: answer.status };
  }
}

function readCosignature(deps: Verifying, body: string, { note, witness, now }: Asked): WitnessAnswer {
  if (!body.endsWith('\n')) return unusable('its answer does not end in a line feed');
  const lines = body.slice(0, -1).split('\n');
  // Each line of its key costs a verification.
  if (lines.length > maxNoteSignatures) return unusable('its answer has too many signatures');
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = parseSignature(line);
    if (signature === undefined) return unusable('its answer is no list of signatures');
    signatures.push(signature);
  }
  const own = signaturesBy({ text: note.text, signatures }, witness);
  let latest: Extract<WitnessAnswer, { readonly kind: 'cosigned' }> | undefined;
  for (const signature of own) {
    const check = checkCosignature(deps, { text: note.text, signatures: [signature] }, witness);
    if (check.state !== 'valid') return unusable('its cosignature is false');
    const { cosignature } = check;
    if (Math.abs(cosignature.time - now) > maxClockDifference)
      return unusable('the time of its cosignature is far from this clock');
    if (latest === undefined || cosignature.time > latest.cosignature.time)
      latest = { kind: 'cosigned', cosignature, signature };
  }
  return latest ?? unusable('its answer has no cosignature of its key');
}

/**
 * A 409 tells the size that was cosigned last. One that tells none, or the size that was sent, is about a tree of the
 * checkpoint's own size whose root is another one.
 */
function readConflict({ contentType, body }: RawWitnessAnswer, { oldSize, size }: Asked): WitnessAnswer {
  const type = contentType?.split(';', 1).join('').trim().toLowerCase();
  const told = type === sizeType && body.endsWith('\n') ? parseDecimal(body.slice(0, -1)) : undefined;
  if (told !== undefined && told !== oldSize) return { kind: 'other_size', size: told };
  if (oldSize === size) return { kind: 'forked' };
  return unusable('it tells of a conflict and of no other size');
}
