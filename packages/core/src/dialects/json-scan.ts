// Owns the one pass over a body's bytes that bounds it before it is parsed and notes where its top-level members stand.

import {
  backslash,
  closeBrace,
  closeBracket,
  colon,
  comma,
  openBrace,
  openBracket,
  quote,
} from '../json-bytes.ts';

/**
 * What the pass found. It reads structure, not validity: the facts hold if the text is valid JSON, and on
 * any other input the pass still ends in linear time. `keys` counts the members of all objects as written.
 */
export type JsonScan =
  | {
      readonly kind: 'scanned';
      readonly keys: number;
      /** Four offsets for each top-level member: key's opening quote, after its closing quote, colon, the `,` or `}` after the value. */
      readonly marks: readonly number[];
      /** Offset of the brace that closes the top-level object; -1 when there is none. */
      readonly closeBrace: number;
      /** True when the name of any member is written with an escape. */
      readonly hasEscapedName: boolean;
    }
  | { readonly kind: 'too_deep' }
  | { readonly kind: 'too_many_values' }
  | { readonly kind: 'too_many_strings' }
  | { readonly kind: 'too_many_members' }
  | { readonly kind: 'unclosed' };

/** Bytes read one by one before jumping with `indexOf`: most strings are short, and a call costs more than they do. */
const nearBytes = 24;

/**
 * The offset of the quote that closes the string whose first byte after the opening quote is at `from`; -1 if
 * there is none. Linear also where escapes are dense: each jump is preceded by `nearBytes` plain bytes.
 */
export function endOfString(bytes: Uint8Array, from: number): number {
  const length = bytes.length;
  let at = from;
  let near = at + nearBytes;
  while (at < length) {
    if (at < near) {
      const byte = bytes[at];
      if (byte === quote) return at;
      if (byte === backslash) {
        at += 2;
        near = at + nearBytes;
      } else at += 1;
      continue;
    }
    const found = bytes.indexOf(quote, at);
    if (found < 0) return -1;
    let run = found;
    while (run > at && bytes[run - 1] === backslash) run -= 1;
    if (((found - run) & 1) === 0) return found;
    at = found + 1;
    near = at + nearBytes;
  }
  return -1;
}

/** True when a backslash stands in the string from `start` to `end`. */
function isEscaped(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at] === backslash) return true;
  return false;
}

/** What bounds a body that is read closely: each string and each member costs those who read it more than a number does. */
export type ShapeLimits = {
  /** Strings, keys among them, and containers. */
  readonly maxStrings: number;
  /** Members of one object, and of the top-level one. */
  readonly maxMembers: number;
  readonly maxTopMembers: number;
};

const unbounded: ShapeLimits = { maxStrings: Infinity, maxMembers: Infinity, maxTopMembers: Infinity };

/** Scans a JSON text. `maxNodes` bounds members, elements and containers together, `maxDepth` their nesting. */
export function scanJson(
  bytes: Uint8Array,
  maxDepth: number,
  maxNodes: number,
  shape: ShapeLimits = unbounded,
): JsonScan {
  const length = bytes.length;
  const { maxStrings, maxMembers, maxTopMembers } = shape;
  const marks: number[] = [];
  const members = new Uint32Array(maxDepth + 2);
  let at = 0;
  let depth = 0;
  let keys = 0;
  let nodes = 0;
  let strings = 0;
  let stringStart = -1;
  let stringEnd = -1;
  let rootEnd = -1;
  let hasEscapedName = false;
  while (at < length) {
    const byte = bytes[at];
    if (byte === quote) {
      strings += 1;
      if (strings > maxStrings) return { kind: 'too_many_strings' };
      stringStart = at;
      at = endOfString(bytes, at + 1);
      if (at < 0) return { kind: 'unclosed' };
      stringEnd = at + 1;
    } else if (byte === colon) {
      keys += 1;
      const inObject = (members[depth] ?? 0) + 1;
      members[depth] = inObject;
      if (inObject > maxMembers || (depth === 1 && inObject > maxTopMembers))
        return { kind: 'too_many_members' };
      if (depth === 1) marks.push(stringStart, stringEnd, at);
      hasEscapedName ||= isEscaped(bytes, stringStart, stringEnd);
    } else if (byte === comma) {
      nodes += 1;
      if (depth === 1 && (marks.length & 3) === 3) marks.push(at);
    } else if (byte === openBrace || byte === openBracket) {
      nodes += 1;
      strings += 1;
      depth += 1;
      if (depth > maxDepth) return { kind: 'too_deep' };
      if (nodes > maxNodes) return { kind: 'too_many_values' };
      if (strings > maxStrings) return { kind: 'too_many_strings' };
      members[depth] = 0;
    } else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 1) {
        rootEnd = at;
        if ((marks.length & 3) === 3) marks.push(at);
      }
      depth -= 1;
    }
    at += 1;
  }
  if (nodes > maxNodes) return { kind: 'too_many_values' };
  return { kind: 'scanned', keys, marks, closeBrace: rootEnd, hasEscapedName };
}
