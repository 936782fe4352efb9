// Owns the reading form of a text: characters that hide or disguise ASCII are removed or replaced before detection.

import { alnum, flagsOf, lower } from './characters.ts';
import { mark, pairReading, readings, removed, twin, twins } from './readings.ts';
import type { Units } from './types.ts';

/** The text as detectors read it. `origin[i]` is where unit `i` came from; absent when nothing was changed. */
export type Normal = {
  readonly text: string;
  /** The same, as they pass over it. INVARIANT: holds until its reader reads another text. */
  readonly units: Units;
  readonly origin: Uint32Array | undefined;
};

/** Gives texts their reading form. */
export type TextReader = (text: string) => Normal;

/**
 * Writes a text as UTF-8 into as many bytes as it has code units; answers how many of the units found room. All of
 * them do where all are ASCII, and only there.
 */
export type EncodeInto = (text: string, into: Uint8Array) => number;

/** The plain statement of it, as far as it goes: it stops before the first unit that is not ASCII. */
const encodeAscii: EncodeInto = (text, into) => {
  let i = 0;
  for (; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit >= 128) break;
    into[i] = unit;
  }
  return i;
};

/** Memory that a reader keeps, in bytes. Longer texts take their own. */
const mostKept = 65_536;

/** The first of `units` that is not read as it stands, or their number. */
function nextChange(units: Uint8Array): number {
  let i = 0;
  while (i < units.length && readings[units[i] ?? 0] === 0) i += 1;
  return i;
}

type Draft = {
  readonly units: Uint16Array;
  readonly origin: Uint32Array;
  length: number;
  isChanged: boolean;
  hasTwin: boolean;
};

function put(draft: Draft, unit: number, from: number): void {
  draft.units[draft.length] = unit;
  draft.origin[draft.length] = from;
  draft.length += 1;
}

const chunk = 8192;

function decode(units: Uint16Array): string {
  let text = '';
  for (let i = 0; i < units.length; i += chunk) {
    const part: string = Reflect.apply(String.fromCharCode, undefined, units.subarray(i, i + chunk));
    text += part;
  }
  return text;
}

/** Writes the reading of the surrogate pair that begins at `i`; returns where to go on. */
function putPair(draft: Draft, text: string, i: number): number {
  const high = text.charCodeAt(i);
  const low = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
  const reading = low >= 0xdc00 && low <= 0xdfff ? pairReading(high, low) : 0;
  if (reading === 0) {
    put(draft, high, i);
    return i + 1;
  }
  draft.isChanged = true;
  if (reading !== removed) put(draft, reading, i);
  return i + 2;
}

/** The kelvin sign, which has one form for both cases: small after a small letter, as in `sk-`. */
const kelvin = 0x212a;
const smallK = 107;

/** Writes the reading of the unit `c` at `i`, which is not read as it stands. */
function putReading(draft: Draft, c: number, reading: number, i: number): void {
  if (reading === twin) {
    draft.hasTwin = true;
    put(draft, c, i);
    return;
  }
  if (reading === mark) {
    const last = draft.length === 0 ? 0xffff : (draft.units[draft.length - 1] ?? 0);
    if (last >= 128 && twins[last] === 0) {
      put(draft, c, i);
      return;
    }
  } else if (reading !== removed) {
    const isSmall = c === kelvin && (flagsOf(draft.units[draft.length - 1] ?? 0) & lower) !== 0;
    put(draft, isSmall ? smallK : reading, i);
  }
  draft.isChanged = true;
}

/** Letters of scripts in which some look like ASCII: Greek, Cyrillic, Armenian. */
function isKin(unit: number): boolean {
  return (unit >= 0x370 && unit <= 0x58f) || unit === 45 || unit === 95;
}

/** Reads look-alikes as ASCII in each word that has ASCII letters or digits in it too; words of one script stay. */
function foldTwins(draft: Draft): void {
  const { units, length } = draft;
  let start = 0;
  let hasAscii = false;
  let hasTwin = false;
  for (let i = 0; i <= length; i += 1) {
    const unit = i < length ? (units[i] ?? 0) : 0;
    if ((flagsOf(unit) & alnum) !== 0) hasAscii = true;
    else if (twins[unit] !== 0) hasTwin = true;
    else if (!isKin(unit)) {
      if (hasAscii && hasTwin) {
        draft.isChanged = true;
        for (let k = start; k < i; k += 1) units[k] = twins[units[k] ?? 0] || (units[k] ?? 0);
      }
      start = i + 1;
      hasAscii = false;
      hasTwin = false;
    }
  }
}

/** Copies units that are read as they stand; answers where the first other one is, or the text's length. */
function copyUntouched(text: string, into: Uint16Array): number {
  let i = 0;
  for (; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (readings[unit] !== 0) break;
    into[i] = unit;
  }
  return i;
}

/** The reading form of a text that is not plain ASCII. */
function read(text: string): Normal {
  const units = new Uint16Array(text.length);
  const first = copyUntouched(text, units);
  if (first === text.length) return { text, units, origin: undefined };
  const origin = new Uint32Array(text.length);
  for (let i = 0; i < first; i += 1) origin[i] = i;
  const draft: Draft = { units, origin, length: first, isChanged: false, hasTwin: false };
  for (let i = first; i < text.length; ) {
    const c = text.charCodeAt(i);
    const reading = readings[c] ?? 0;
    if (reading === c && reading !== 0) {
      i = putPair(draft, text, i);
      continue;
    }
    if (reading === 0) put(draft, c, i);
    else putReading(draft, c, reading, i);
    i += 1;
  }
  if (draft.hasTwin) foldTwins(draft);
  if (!draft.isChanged) return { text, units, origin: undefined };
  const changed = units.subarray(0, draft.length);
  return { text: decode(changed), units: changed, origin: origin.subarray(0, draft.length) };
}

/**
 * A reader of one thread. Text that is plain ASCII, as most is, costs a copy and one look at each byte, in memory that
 * is used again.
 */
export function createTextReader(encodeInto: EncodeInto = encodeAscii): TextReader {
  let memory = new Uint8Array(0);

  function room(length: number): Uint8Array {
    if (length > mostKept) return new Uint8Array(length);
    if (length > memory.length) memory = new Uint8Array(Math.max(length, memory.length * 2));
    return memory.subarray(0, length);
  }

  return (text) => {
    const { length } = text;
    const units = room(length);
    const isPlain = encodeInto(text, units) === length && nextChange(units) === length;
    return isPlain ? { text, units, origin: undefined } : read(text);
  };
}

/** The reading form of one text. */
export function normalise(text: string): Normal {
  return createTextReader()(text);
}

/** Where the span [start, end) of the reading form lies in the original text, as [start, end). */
export function originalSpan(
  original: string,
  normal: Normal,
  start: number,
  end: number,
): readonly [number, number] {
  const { origin } = normal;
  if (origin === undefined || end <= start) return [start, end];
  const last = origin[end - 1] ?? 0;
  const c = original.charCodeAt(last);
  const isPair = c >= 0xd800 && c <= 0xdbff && end - start > 0 && normal.text.charCodeAt(end - 1) < 128;
  return [origin[start] ?? 0, last + (isPair ? 2 : 1)];
}
