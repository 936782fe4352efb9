// Owns that a text which stands in many objects of a directory is in memory once.

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function shareIn(value: Record<string, unknown>, known: Map<string, string>): void {
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (isRecord(member)) shareIn(member, known);
    if (typeof member !== 'string') continue;
    const first = known.get(member);
    if (first === undefined) known.set(member, member);
    else value[name] = first;
  }
}

/**
 * Puts one string in the place of all that are equal, in values that were just read and belong to the caller. What
 * comes from another thread is a copy of every occurrence: an id was in memory three times for a key, its
 * organization's once for each key. Measured with 10,000 keys: 3 MB.
 */
export function shareStrings(values: readonly object[]): void {
  const known = new Map<string, string>();
  for (const value of values) if (isRecord(value)) shareIn(value, known);
}
