// Owns text from elsewhere on a terminal: nothing in it may act (threat 23).

/**
 * What a terminal obeys or what hides and turns text around: C0 and C1 controls, delete, marks of direction,
 * separators, zero-width characters, tags, lone surrogates.
 */
const unsafe =
  /[\p{Cc}\p{Cs}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  // Both halves, as JSON writes them, so that escaped JSON is still JSON.
  return [...Array(character.length).keys()]
    .map(
      (i) => `\\u${(character.length === 1 ? code : character.charCodeAt(i)).toString(16).padStart(4, '0')}`,
    )
    .join('');
}

/** One line of text: every character that could act is shown as `\u001b`. */
export function safeLine(text: string): string {
  return text.replace(unsafe, escaped);
}

/** Several lines: line feeds and tabs stay. */
export function safeLines(text: string): string {
  return text.replace(unsafe, (character) => (/[\n\t]/.test(character) ? character : escaped(character)));
}

/** JSON text, indented, with what could act written as an escape of JSON. */
export function safeJson(value: unknown): string {
  // JSON.stringify escapes C0 inside strings, so what is left outside of them is its own white space.
  return `${safeLines(JSON.stringify(value, null, 2) ?? 'null')}\n`;
}
