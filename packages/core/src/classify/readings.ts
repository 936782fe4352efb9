// Owns what each character is read as before detection: nothing, an ASCII character, or itself.

/** Shows nothing, or nothing that parts letters: read as nothing. */
export const removed = 1;
/** A combining mark: read as nothing after what is read as ASCII. */
export const mark = 2;
/** A letter of another script that looks like an ASCII one: read as that in a word which has ASCII in it (`twins`). */
export const twin = 3;

/** First digits of the scripts whose decimal digits are read as 0 to 9 (Unicode general category Nd). */
const zeros = [
  0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xf20, 0x1040,
  0x17e0, 0x1810, 0xff10,
] as const;

/** What shows nothing beside format characters (Cf): fillers, selectors, controls, private use, noncharacters. */
const invisible: readonly (readonly [number, number])[] = [
  [0x00, 0x08], [0x0b, 0x0c], [0x0e, 0x1f], [0x7f, 0x9f], [0x34f, 0x34f], [0x115f, 0x1160], [0x17b4, 0x17b5],
  [0x180b, 0x180f], [0x2060, 0x206f], [0x2800, 0x2800], [0x3164, 0x3164], [0xe000, 0xf8ff], [0xfdd0, 0xfdef],
  [0xfe00, 0xfe0f], [0xffa0, 0xffa0], [0xfff0, 0xfffc], [0xfffe, 0xffff],
]; // biome-ignore format: one line holds neighbours

const format = /\p{Cf}/u;
const combining = /\p{M}/u;

/** Ranges whose compatibility form (Unicode NFKC) may be one ASCII character: letters raised, circled, double-struck. */
const compatible: readonly (readonly [number, number])[] = [
  [0x17f, 0x17f], [0x1d2c, 0x1d6a], [0x2090, 0x209c], [0x2100, 0x218f], [0x2460, 0x24ff], [0x2c7c, 0x2c7d],
]; // biome-ignore format: one line holds all

function within(ranges: readonly (readonly [number, number])[], c: number): boolean {
  return ranges.some(([from, to]) => c >= from && c <= to);
}

function isBlank(c: number): boolean {
  return (
    c === 0xa0 || c === 0x1680 || (c >= 0x2000 && c <= 0x200a) || c === 0x202f || c === 0x205f || c === 0x3000
  );
}

/** Superscript and subscript digits, or -1. */
function raisedDigit(c: number): number {
  if (c === 0xb2 || c === 0xb3) return c - 0xb0;
  if (c === 0xb9) return 1;
  if (c === 0x2070 || (c >= 0x2074 && c <= 0x2079)) return c - 0x2070;
  return c >= 0x2080 && c <= 0x2089 ? c - 0x2080 : -1;
}

/** `Ⓢ`, `⒮`, `ſ`, `K` as the letter or digit that it is made of; `c` itself where it is made of more. */
function compatibleOf(c: number): number {
  const form = String.fromCharCode(c).normalize('NFKC');
  const inner = /^\((.)\)$/.exec(form)?.[1] ?? form;
  const code = inner.charCodeAt(0);
  return inner.length === 1 && code > 32 && code < 127 ? code : c;
}

/** Each second character looks like the ASCII one before it. */
const pairs =
  'AАBВCСEЕHНIІJЈKКMМOОPРSЅTТYУXХYҮQԚWԜGԌIӀVѴaаcсeеhһiіjјkкoоpрsѕyуxхlӏdԁqԛwԝvѵyү' +
  'AΑBΒEΕZΖHΗIΙKΚMΜNΝOΟPΡTΤYΥXΧCϹJͿMϺaαiιkκvνoοpρuυxχcϲjϳyγ' +
  'UՍoօSՏnոuսhհgցqզOՕiıaɑgɡ';

function makeTwins(): Uint8Array {
  const twins = new Uint8Array(65_536);
  for (let at = 0; at + 1 < pairs.length; at += 2) twins[pairs.charCodeAt(at + 1)] = pairs.charCodeAt(at);
  return twins;
}

/** For each code unit the ASCII letter that it looks like; 0 for most. */
export const twins: Uint8Array = makeTwins();

function asciiOf(c: number): number {
  if (isBlank(c)) return 32;
  if (c >= 0xff01 && c <= 0xff5e) return c - 0xfee0;
  if ((c >= 0x2010 && c <= 0x2015) || c === 0x2212 || c === 0xfe58 || c === 0xfe63) return 45;
  if (c === 0x2024 || c === 0x3002 || c === 0xff61) return 46;
  // Division and fraction slashes, as in `CUI∕∕SP-CTI`.
  if (c === 0x2044 || c === 0x2215) return 47;
  if (c === 0xfe6b) return 64;
  const raised = raisedDigit(c);
  if (raised >= 0) return 48 + raised;
  for (const zero of zeros) if (c >= zero && c <= zero + 9) return 48 + c - zero;
  return within(compatible, c) ? compatibleOf(c) : c;
}

/** The ASCII unit that is read for `c`, or what becomes of it, or `c` itself. */
function readingOf(c: number): number {
  if (within(invisible, c)) return removed;
  const ascii = asciiOf(c);
  if (ascii !== c) return ascii;
  if ((twins[c] ?? 0) !== 0) return twin;
  const text = String.fromCharCode(c);
  if (format.test(text)) return removed;
  return combining.test(text) ? mark : c;
}

/** Ranges outside of which `readingOf` changes nothing: the scripts between them are letters only. */
const touched = [
  [0x00, 0x1f],
  [0x7f, 0x2220],
  [0x2460, 0x2500],
  [0x2800, 0x2800],
  [0x2c7c, 0x2dff],
  [0x3000, 0x3170],
  [0xa66f, 0xabed],
  [0xe000, 0xffff],
] as const;

/** The first halves of pairs that `pairReading` reads as something else. */
const highs: readonly (readonly [number, number])[] = [
  [0xd804, 0xd804], [0xd80d, 0xd80d], [0xd82f, 0xd82f], [0xd834, 0xd835], [0xd83c, 0xd83c], [0xd83f, 0xd83f],
  [0xdb40, 0xdbff],
]; // biome-ignore format: one line holds neighbours

/** For each code unit: 0 when it stays, `removed`, `mark`, `twin`, or the unit that is read for it. Surrogates point at themselves. */
function makeReadings(): Uint16Array {
  const readings = new Uint16Array(65_536);
  for (const [from, to] of touched) {
    for (let c = from; c <= to; c += 1) {
      const reading = readingOf(c);
      if (reading !== c) readings[c] = reading;
    }
  }
  for (const [from, to] of highs) for (let c = from; c <= to; c += 1) readings[c] = c;
  return readings;
}

export const readings: Uint16Array = makeReadings();

/** Mathematical letters and digits (U+1D400 to U+1D7FF) as ASCII, or 0 where they have none. */
function mathematical(low: number): number {
  const offset = low - 0xdc00;
  if (offset >= 0x3ce) return 48 + ((offset - 0x3ce) % 10);
  if (offset > 0x2a3) return 0;
  const place = offset % 52;
  return place < 26 ? 65 + place : 71 + place;
}

/** Letters in circles, squares and brackets (U+1F110 to U+1F189) and of flags (U+1F1E6 to U+1F1FF). */
function enclosed(low: number): number {
  const offset = low - 0xdd10;
  if (offset >= 0 && offset <= 0x79) {
    const place = offset % 32;
    return place < 26 ? 65 + place : 0;
  }
  return low >= 0xdde6 && low <= 0xddff ? 65 + low - 0xdde6 : 0;
}

/** What the pair of surrogates is read as: 0 for itself, `removed`, or an ASCII unit. */
export function pairReading(high: number, low: number): number {
  if (high === 0xd835) return mathematical(low);
  if (high === 0xd83c) return enclosed(low);
  // Private use, and tags, selectors and what is reserved for more of them (U+E0000 to U+E0FFF).
  if (high >= 0xdb80 || (high >= 0xdb40 && high <= 0xdb43)) return removed;
  const c = (high - 0xd800) * 0x400 + low - 0xdc00 + 0x10000;
  if ((c & 0xfffe) === 0xfffe) return removed;
  return format.test(String.fromCodePoint(c)) ? removed : 0;
}
