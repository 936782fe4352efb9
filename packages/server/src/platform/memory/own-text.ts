// Owns the copy of a text that is kept longer than what it was cut out of.

/**
 * The same text in memory of its own. V8 cuts a text out of a longer one by pointing into it: a client's name that is
 * kept would keep the whole head that it came in, credential included. For texts of heads, which are Latin-1.
 */
export function ownText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
