// Owns finding members of an object in canonical text (RFC 8785) without making values of all the others.
// Measured: parsing an entry for a dozen of its members costs several times as much, most of it garbage.

import { backslash, closeBrace, closeBracket, comma, openBrace, openBracket, quote } from '../json-bytes.ts';
import { parseJson } from '../parse-json.ts';

/** True when an odd number of backslashes stands before `at`: the character there is part of an escape. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === backslash) first -= 1;
  return (at - first) % 2 === 1;
}

/** Behind the quote that closes the string which begins at `at`. Looks for quotes alone: most of a text is within some. */
function endOfString(text: string, at: number): number {
  let i = text.indexOf('"', at + 1);
  while (i >= 0 && text.charCodeAt(i - 1) === backslash && isEscaped(text, i)) i = text.indexOf('"', i + 1);
  return i < 0 ? text.length : i + 1;
}

/** Behind the value that begins at `at`. */
function endOfValue(text: string, at: number): number {
  let depth = 0;
  let i = at;
  while (i < text.length) {
    const unit = text.charCodeAt(i);
    if (unit === quote) {
      i = endOfString(text, i);
      if (depth === 0) return i;
      continue;
    }
    if (unit === openBrace || unit === openBracket) depth += 1;
    else if (unit === closeBrace || unit === closeBracket) {
      depth -= 1;
      if (depth < 0) return i;
      if (depth === 0) return i + 1;
    } else if (unit === comma && depth === 0) return i;
    i += 1;
  }
  return text.length;
}

/**
 * The canonical text of each member that is named, in the order of the names; undefined for those that the object does
 * not have. `names` must be in canonical order, as the members are. The text must be canonical JSON of an object, which
 * is not checked: for anything else the members are as good as random.
 */
export function membersOf(text: string, names: readonly string[]): (string | undefined)[] {
  const found = new Array<string | undefined>(names.length).fill(undefined);
  let next = 0;
  let at = 1;
  while (at < text.length && text.charCodeAt(at) === quote) {
    const nameEnd = endOfString(text, at);
    const end = endOfValue(text, nameEnd + 1);
    const length = nameEnd - at - 2;
    for (let i = next; i < names.length; i += 1) {
      const name = names[i] ?? '';
      if (name.length !== length || !text.startsWith(name, at + 1)) continue;
      found[i] = text.slice(nameEnd + 1, end);
      next = i + 1;
      break;
    }
    if (next === names.length) break;
    at = end + 1;
  }
  return found;
}

/** The text that a string's literal stands for. Throws a SyntaxError for what is no literal. */
export function unquote(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  const text: unknown = parseJson(literal, false);
  return String(text);
}
