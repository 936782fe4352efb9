// Owns the note by which a log's key hands over, when its log is closed, to the log that continues it.

import { parseDecimal } from './checkpoint.ts';
import { fromBase64, toBase64 } from './encoding.ts';
import {
  checkNote,
  formatNote,
  formatVerifierKey,
  type Note,
  parseNote,
  parseVerifierKey,
  signNote,
  type VerifierKey,
} from './note.ts';
import { type SignEd25519, sameBytes, type Utf8, type Verifying } from './primitives.ts';

/** INVARIANT: no checkpoint begins so: its second line is a number, and this note's is a log's name. */
const firstLine = 'countersign/succession/v1';

/** Where a log ended, and the log that goes on from there. The name of each key is the origin of its log. */
export type Succession = {
  readonly former: { readonly key: VerifierKey; readonly size: number; readonly root: Uint8Array };
  readonly next: VerifierKey;
};

/** A log's key, and what signs with it. */
export type NoteSigner = { readonly key: VerifierKey; readonly sign: SignEd25519 };

function textOf({ former, next }: Succession): string {
  const { key, size, root } = former;
  const ended = [key.name, formatVerifierKey(key), String(size), toBase64(root)];
  return `${[firstLine, ...ended, next.name, formatVerifierKey(next)].join('\n')}\n`;
}

/** Signs the end of a log and its follower, with both keys. INVARIANT: the former key signs nothing of its log after it. */
export function signSuccession(
  utf8: Utf8,
  ended: { readonly size: number; readonly root: Uint8Array },
  former: NoteSigner,
  next: NoteSigner,
): string {
  const text = textOf({ former: { key: former.key, ...ended }, next: next.key });
  const signatures = [former, next].map(({ key, sign }) => signNote(utf8, key, text, sign));
  return formatNote({ text, signatures });
}

function parse(deps: Verifying, { text }: Note): Succession | undefined {
  const [first, formerOrigin, formerKey = '', sizeLine = '', rootLine = '', origin, nextKey = '', ...rest] =
    text.slice(0, -1).split('\n');
  const key = parseVerifierKey(deps, formerKey);
  const next = parseVerifierKey(deps, nextKey);
  const size = parseDecimal(sizeLine);
  const root = fromBase64(rootLine);
  if (first !== firstLine || rest.length > 0 || key === undefined || next === undefined) return undefined;
  if (key.name !== formerOrigin || next.name !== origin || formerOrigin === origin) return undefined;
  if (size === undefined || root?.length !== 32) return undefined;
  return { former: { key, size, root }, next };
}

export type SuccessionProblem =
  /** It is no such note. */
  | 'malformed'
  /** It hands over to another log, or to another key of this one. */
  | 'hands_over_elsewhere'
  | 'not_signed_by_former'
  | 'not_signed_by_this';

export type OpenedSuccession =
  | { readonly ok: true; readonly succession: Succession }
  | { readonly ok: false; readonly problem: SuccessionProblem };

/**
 * Reads a succession and holds it to the key of the log that goes on. Both logs must have signed it; whose the former
 * key is, it cannot say by itself.
 */
export function openSuccession(deps: Verifying, source: string, key: VerifierKey): OpenedSuccession {
  const note = parseNote(source);
  const succession = note === undefined ? undefined : parse(deps, note);
  if (note === undefined || succession === undefined) return { ok: false, problem: 'malformed' };
  const { former, next } = succession;
  if (next.name !== key.name || !sameBytes(next.publicKey, key.publicKey))
    return { ok: false, problem: 'hands_over_elsewhere' };
  if (checkNote(deps, note, former.key) !== 'valid') return { ok: false, problem: 'not_signed_by_former' };
  if (checkNote(deps, note, key) !== 'valid') return { ok: false, problem: 'not_signed_by_this' };
  return { ok: true, succession };
}
