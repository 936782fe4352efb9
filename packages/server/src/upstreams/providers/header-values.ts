// Owns which header values may cross the gateway, and which names a Connection header takes out of the way.

/**
 * True when a value is one line of what RFC 9110 section 5.5 allows: tab, visible ASCII, space, obs-text.
 * CR, LF and NUL would let a value become a header or a request of its own.
 */
export function isPlainValue(value: string): boolean {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false;
  }
  return true;
}

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
