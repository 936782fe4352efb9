// Owns reading JSON text, so that a name in it is what is written there and not what an earlier text had.
// nodejs/node#63785 (V8 of Node 24 and 26): JSON.parse compares a name's raw beginning, not its decoded text, with the
// name that the last object of this form had next. After `{"a":1,"m\\u00":1}` it reads `{"a":1,"m\u006fdel":2}` as having
// `m\u00` and no `model`. Only a raw name with an escape is misread, and only as a name with a backslash in it.

import {
  backslash,
  closeBrace,
  closeBracket,
  colon,
  comma,
  openBrace,
  openBracket,
  quote,
} from './json-bytes.ts';

const space = 0x20;

/** Behind the quote that closes the string which begins at `at`, where the text has one. */
function endOfString(text: string, at: number): number {
  const first = text.indexOf('"', at + 1);
  if (first < 0) return text.length;
  if (text.charCodeAt(first - 1) !== backslash) return first + 1;
  return endOfEscaped(text, at + 1) + 1;
}

/** The quote that closes the string in which `at` stands, before a character or an escape. */
function endOfEscaped(text: string, at: number): number {
  let end = at;
  for (let c = text.charCodeAt(end); c !== quote && end < text.length; c = text.charCodeAt(end))
    end += c === backslash ? 2 : 1;
  return end;
}

/** Between tokens of JSON nothing else is as small as white space. */
function behindSpace(text: string, at: number): number {
  let end = at;
  while (text.charCodeAt(end) <= space) end += 1;
  return end;
}

/** Behind the number, `true`, `false` or `null` that begins at `at`. */
function endOfWord(text: string, at: number): number {
  let end = at + 1;
  for (let c = text.charCodeAt(end); end < text.length; c = text.charCodeAt(end)) {
    if (c === comma || c === closeBrace || c === closeBracket || c <= space) break;
    end += 1;
  }
  return end;
}

/** True where the name of a member is written with an escape. Exact for valid JSON: there a backslash is in a string. */
export function hasEscapedName(text: string): boolean {
  let at = text.indexOf('\\');
  while (at >= 0) {
    const end = endOfEscaped(text, at);
    if (text.charCodeAt(behindSpace(text, end + 1)) === colon) return true;
    at = text.indexOf('\\', end + 1);
  }
  return false;
}

/** A list, or an object and the name whose value comes next. */
type Open = { readonly items: unknown[] } | { readonly members: Members; name: string | undefined };
type Members = { [name: string]: unknown };

/** As JSON.parse has it: the last value of a name, and `__proto__` is a name like others. */
function setMember(members: Members, name: string, value: unknown): void {
  if (name !== '__proto__') members[name] = value;
  else Object.defineProperty(members, name, { value, writable: true, enumerable: true, configurable: true });
}

/**
 * One value at a time, however deep; JSON.parse reads literals alone, which have no names. The text must be valid JSON.
 */
function readCarefully(text: string): unknown {
  const around: Open[] = [];
  let open: Open | undefined;
  let root: unknown;

  function enter(next: Open): void {
    take('items' in next ? next.items : next.members);
    around.push(next);
    open = next;
  }

  function take(value: unknown): void {
    if (open === undefined) root = value;
    else if ('items' in open) open.items.push(value);
    else if (open.name === undefined) open.name = String(value);
    else {
      setMember(open.members, open.name, value);
      open.name = undefined;
    }
  }

  for (let at = behindSpace(text, 0); at < text.length; at = behindSpace(text, at)) {
    const c = text.charCodeAt(at);
    if (c === openBrace) enter({ members: {}, name: undefined });
    else if (c === openBracket) enter({ items: [] });
    else if (c === closeBrace || c === closeBracket) {
      around.pop();
      open = around.at(-1);
    } else if (c !== comma && c !== colon) {
      const end = c === quote ? endOfString(text, at) : endOfWord(text, at);
      const literal: unknown = JSON.parse(text.slice(at, end));
      take(literal);
      at = end;
      continue;
    }
    at += 1;
  }
  return root;
}

/**
 * What JSON.parse should make of the text; throws as it does. `isEscaped` is what `hasEscapedName` says, for who knows it
 * already.
 */
export function parseJson(text: string, isEscaped: boolean = hasEscapedName(text)): unknown {
  const value: unknown = JSON.parse(text);
  return isEscaped ? readCarefully(text) : value;
}
