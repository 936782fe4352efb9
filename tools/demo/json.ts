// Owns reading answers whose shape is not taken on trust: members by a dotted path.

/** A member of a JSON value, by a dotted path; undefined where there is none. */
export function at(value: unknown, path: string): unknown {
  let current: unknown = value;
  for (const name of path.split('.')) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = Object.getOwnPropertyDescriptor(current, name)?.value;
  }
  return current;
}

/** The same as text. Throws, with the value, where there is none. */
export function textAt(value: unknown, path: string): string {
  const found = at(value, path);
  if (typeof found !== 'string') throw new TypeError(`no text at \`${path}\` of ${JSON.stringify(value)}`);
  return found;
}

/** Text as JSON, or the text itself where it is none. */
export function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}
