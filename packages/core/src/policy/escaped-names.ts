// Owns which names in a rule's JSON form an engine may have misread: those that JSON writes with an escape.

/**
 * A name that JSON writes with an escape, as of a member of a record in Cedar's text, if there is one. Cedar hands its
 * JSON form through JSON.parse, which may have taken such a name for one of an earlier rule (nodejs/node#63785); what it
 * takes it for is such a name, too. Walks without recursion.
 */
export function escapedNameIn(value: unknown): string | undefined {
  const left: unknown[] = [value];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    for (const [name, child] of Object.entries(next)) {
      if (JSON.stringify(name) !== `"${name}"`) return name;
      if (typeof child === 'object' && child !== null) left.push(child);
    }
  }
  return undefined;
}
