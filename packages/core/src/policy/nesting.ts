// Owns how deep a policy nests: brackets in its text, and levels in its JSON form.

/** The most brackets of one text that may be open at once. Cedar's own parser gives up somewhere above a hundred. */
export const mostOpenBrackets = 64;

/** The most levels of one condition: whoever replays the policy must read it on less stack than who published it. */
export const mostLevels = 1_000;

const opening = new Set(['(', '[', '{']);
const closing = new Set([')', ']', '}']);

/** The place behind a string or a comment that begins at `from`; `from` itself where neither does. */
function afterQuoted(text: string, from: number): number {
  if (text.startsWith('//', from)) {
    const end = text.indexOf('\n', from);
    return end < 0 ? text.length : end;
  }
  if (text[from] !== '"') return from;
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** The place of the first bracket within `most` open ones, in UTF-16 units; undefined where there is none. */
export function bracketTooDeep(text: string, most: number): number | undefined {
  let open = 0;
  for (let at = 0; at < text.length; ) {
    const after = afterQuoted(text, at);
    if (after > at) {
      at = after;
      continue;
    }
    const one = text[at] ?? '';
    if (opening.has(one)) open += 1;
    if (closing.has(one)) open -= 1;
    if (open > most) return at;
    at += 1;
  }
  return undefined;
}

/**
 * The levels of a condition in Cedar's JSON form: one for each operator within another, so that a chain of n terms has
 * n. Walks without recursion.
 */
export function levelsOf(value: unknown): number {
  let deepest = 0;
  const left: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value: one, depth } = next;
    if (depth > deepest) deepest = depth;
    if (typeof one !== 'object' || one === null) continue;
    for (const child of Object.values(one)) left.push({ value: child, depth: depth + 1 });
  }
  // An operator is an object in an object: its name, and its operands.
  return Math.ceil(deepest / 2);
}
