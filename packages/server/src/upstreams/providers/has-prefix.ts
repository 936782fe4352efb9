// Owns telling a header by how its name begins.

/** True if `name` begins with one of these. A loop, for it is asked of each header of each call: a closure is made anew. */
export function hasPrefix(name: string, prefixes: readonly string[]): boolean {
  for (const prefix of prefixes) if (name.startsWith(prefix)) return true;
  return false;
}
