// Owns which names a Connection header takes out of the way.

const unnamed: ReadonlySet<string> = new Set();

/**
 * The names, in lower case, that the message's own `Connection` headers declare to be for one hop only
 * (RFC 9110 section 7.6.1). Nearly always empty: `keep-alive` and `close` name no header.
 */
export function namedByConnection(flat: readonly string[]): ReadonlySet<string> {
  let named: Set<string> | undefined;
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const name = flat[at] ?? '';
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    const value = (flat[at + 1] ?? '').toLowerCase();
    if (value === 'keep-alive' || value === 'close' || value === '') continue;
    named ??= new Set();
    for (const token of value.split(',')) named.add(token.trim());
  }
  return named ?? unnamed;
}
