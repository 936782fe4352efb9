// Owns reading JSON text, so that a name in it is what is written there and not what an earlier text had.
// nodejs/node#63785 (V8 of Node 24 and 26): JSON.parse compares a name's raw beginning, not its decoded text, with the
// name that the last object of this form had next. After `{"a":1,"m\\u00":1}` it reads `{"a":1,"m\u006fdel":2}` as having
// `m\u00` and no `model`. Only a raw name with an escape is misread, and only as a name with a backslash in it.

const closings = /[,\]}\s]/;

/** Behind the quote that closes the string which begins at `at`, where the text has one. */
function endOfString(text: string, at: number): number {
  let end = text.indexOf('"', at + 1);
  while (end > 0) {
    let first = end;
    while (text[first - 1] === '\\' && first - 1 > at) first -= 1;
    if ((end - first) % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

function behindSpace(text: string, at: number): number {
  let end = at;
  while (text[end] === ' ' || text[end] === '\n' || text[end] === '\r' || text[end] === '\t') end += 1;
  return end;
}

/** True where the name of a member is written with an escape. Exact for valid JSON: there a backslash is in a string. */
export function hasEscapedName(text: string): boolean {
  let at = text.indexOf('\\');
  while (at >= 0) {
    // From the string's first escape on, two characters at a time, to its end.
    let end = at;
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
    if (text[behindSpace(text, end + 1)] === ':') return true;
    at = text.indexOf('\\', end + 1);
  }
  return false;
}

/** One value at a time; JSON.parse reads literals alone, which have no names. The text must be valid JSON. */
function readCarefully(text: string): unknown {
  let at = 0;

  function literal(end: number): unknown {
    const value: unknown = JSON.parse(text.slice(at, end));
    at = end;
    return value;
  }

  function items<T>(item: () => T): T[] {
    const found: T[] = [];
    for (at = behindSpace(text, at + 1); text[at] !== '}' && text[at] !== ']'; at = behindSpace(text, at)) {
      if (text[at] === ',') at += 1;
      found.push(item());
    }
    at += 1;
    return found;
  }

  function member(): [string, unknown] {
    at = behindSpace(text, at);
    const name = String(literal(endOfString(text, at)));
    at = behindSpace(text, at) + 1;
    return [name, value()];
  }

  function value(): unknown {
    at = behindSpace(text, at);
    if (text[at] === '{') return Object.fromEntries(items(member));
    if (text[at] === '[') return items(value);
    if (text[at] === '"') return literal(endOfString(text, at));
    let end = at;
    while (end < text.length && !closings.test(text[end] ?? '')) end += 1;
    return literal(end);
  }

  return value();
}

/**
 * What JSON.parse should make of the text; throws as it does, and a RangeError where names with escapes nest too deeply
 * for the stack. `isEscaped` is what `hasEscapedName` says, for who knows it already.
 */
export function parseJson(text: string, isEscaped: boolean = hasEscapedName(text)): unknown {
  const value: unknown = JSON.parse(text);
  return isEscaped ? readCarefully(text) : value;
}
