// Owns `like`: matching text against literal pieces and wildcards, without backtracking.

import type { PatternPiece } from './expr.ts';

/**
 * Makes a matcher. The first piece is anchored at the start, the last at the end, those between are searched
 * from left to right, each once: the leftmost place for a piece never spoils a later one. So the work is
 * one search for each piece, whatever the text.
 */
export function likeMatcher(pattern: readonly PatternPiece[]): (text: string) => boolean {
  const literals: string[] = [''];
  for (const piece of pattern) {
    if (piece === null) literals.push('');
    else literals.push((literals.pop() ?? '') + piece);
  }
  const first = literals[0] ?? '';
  if (literals.length === 1) return (text) => text === first;
  const last = literals[literals.length - 1] ?? '';
  const middle = literals.slice(1, -1).filter((literal) => literal !== '');
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    const end = text.length - last.length;
    for (const literal of middle) {
      const found = text.indexOf(literal, at);
      if (found < 0) return false;
      at = found + literal.length;
    }
    return at <= end;
  };
}
