// Owns what a name or a reason is made of: one line, with nothing that acts on a terminal or turns text around.

/** Controls, lone surrogates, separators of lines, and marks that turn the order of what follows. */
const unfit = /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/u;
const everyUnfit = new RegExp(unfit, 'gu');

/** True for text that may stand in one line as it is. Letters of every script, and what joins them, may. */
export function isPlainText(text: string): boolean {
  return !unfit.test(text);
}

/** What is left of text from elsewhere when that is taken out, of at most `most` characters. */
export function plainTextOf(text: string, most: number): string {
  // Cut by code points, so that no half of one is left.
  return [
    ...text
      .replace(everyUnfit, '')
      .trim()
      .slice(0, 2 * most),
  ]
    .slice(0, most)
    .join('');
}
