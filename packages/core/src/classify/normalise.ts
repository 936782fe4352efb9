// Owns the reading form of a text: characters that hide or disguise ASCII are removed or replaced before detection.

/** The text as detectors read it. `origin[i]` is where unit `i` came from; absent when nothing was changed. */
export type Normal = { readonly text: string; readonly origin: Uint32Array | undefined };

const removed = 1;
/** High surrogates of mathematical letters and of tags: the next unit decides. */
const mathHigh = 0xd835;
const tagHigh = 0xdb40;

/** First digits of the scripts whose decimal digits are read as 0 to 9 (Unicode general category Nd). */
const zeros = [
  0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xf20, 0x1040,
  0x17e0, 0x1810, 0xff10,
] as const;

function isInvisible(c: number): boolean {
  if (c === 0xad || c === 0x34f || c === 0x61c || c === 0x115f || c === 0x1160) return true;
  if (c === 0x17b4 || c === 0x17b5 || (c >= 0x180b && c <= 0x180e)) return true;
  if ((c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f))
    return true;
  return c === 0x3164 || (c >= 0xfe00 && c <= 0xfe0f) || c === 0xfeff || c === 0xffa0;
}

function isBlank(c: number): boolean {
  return c === 0xa0 || (c >= 0x2000 && c <= 0x200a) || c === 0x202f || c === 0x205f || c === 0x3000;
}

/** Superscript and subscript digits, or -1. */
function raisedDigit(c: number): number {
  if (c === 0xb2 || c === 0xb3) return c - 0xb0;
  if (c === 0xb9) return 1;
  if (c === 0x2070 || (c >= 0x2074 && c <= 0x2079)) return c - 0x2070;
  return c >= 0x2080 && c <= 0x2089 ? c - 0x2080 : -1;
}

/** The ASCII unit that is read for `c`, `removed`, or `c` itself. */
function readingOf(c: number): number {
  if (isInvisible(c)) return removed;
  if (isBlank(c)) return 32;
  if (c >= 0xff01 && c <= 0xff5e) return c - 0xfee0;
  if ((c >= 0x2010 && c <= 0x2015) || c === 0x2212 || c === 0xfe58 || c === 0xfe63) return 45;
  if (c === 0x2024 || c === 0x3002 || c === 0xff61) return 46;
  if (c === 0xfe6b) return 64;
  const raised = raisedDigit(c);
  if (raised >= 0) return 48 + raised;
  for (const zero of zeros) if (c >= zero && c <= zero + 9) return 48 + c - zero;
  return c;
}

/** Mathematical letters and digits (U+1D400 to U+1D7FF) as ASCII, or 0 where they have none. */
function mathematical(low: number): number {
  const offset = low - 0xdc00;
  if (offset >= 0x3ce) return 48 + ((offset - 0x3ce) % 10);
  if (offset > 0x2a3) return 0;
  const place = offset % 52;
  return place < 26 ? 65 + place : 71 + place;
}

/** Ranges outside of which `readingOf` changes nothing. */
const touched = [
  [0xa0, 0x1940],
  [0x2000, 0x2220],
  [0x3000, 0x3170],
  [0xfe00, 0xffff],
] as const;

/** For each code unit: 0 when it stays, `removed`, or the unit that is read for it. Surrogates point at themselves. */
function makeReadings(): Uint16Array {
  const readings = new Uint16Array(65_536);
  for (const [from, to] of touched) {
    for (let c = from; c <= to; c += 1) {
      const reading = readingOf(c);
      if (reading !== c) readings[c] = reading;
    }
  }
  readings[mathHigh] = mathHigh;
  readings[tagHigh] = tagHigh;
  return readings;
}

const readings = makeReadings();

/** The first unit from `i` that is not read as it stands, or the text's length. */
function nextChange(text: string, i: number): number {
  let j = i;
  while (j < text.length && readings[text.charCodeAt(j)] === 0) j += 1;
  return j;
}

type Draft = { readonly units: Uint16Array; readonly origin: Uint32Array; length: number };

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
  const isPair = low >= 0xdc00 && low <= 0xdfff;
  // Tags and further variation selectors (U+E0000 to U+E03FF) show nothing.
  if (isPair && high === tagHigh) return i + 2;
  const reading = isPair ? mathematical(low) : 0;
  put(draft, reading === 0 ? high : reading, i);
  return reading === 0 ? i + 1 : i + 2;
}

/** The reading form of `text`. Costs one look at each character when there is nothing to change. */
export function normalise(text: string): Normal {
  const first = nextChange(text, 0);
  if (first === text.length) return { text, origin: undefined };
  const draft: Draft = {
    units: new Uint16Array(text.length),
    origin: new Uint32Array(text.length),
    length: 0,
  };
  for (let i = 0; i < text.length; ) {
    const c = text.charCodeAt(i);
    const reading = readings[c] ?? 0;
    if (reading === mathHigh || reading === tagHigh) {
      i = putPair(draft, text, i);
      continue;
    }
    if (reading !== removed) put(draft, reading === 0 ? c : reading, i);
    i += 1;
  }
  return {
    text: decode(draft.units.subarray(0, draft.length)),
    origin: draft.origin.subarray(0, draft.length),
  };
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
