// Owns the deepest rules that may be published, for the tests of who publishes and of who replays.

import { mostLevels, mostOpenBrackets } from './nesting.ts';

const rule = (id: string, condition: string): string =>
  `@id("${id}") permit (principal, action, resource) when { ${condition} };\n`;

/** A chain of this many terms. */
export function chainOf(terms: number): string {
  return rule('a-chain', Array.from({ length: terms }, () => 'true').join(' && '));
}

/** A condition in so many brackets, its own included. */
export function bracketsOf(count: number): string {
  return rule('brackets', `${'('.repeat(count - 1)}true${')'.repeat(count - 1)}`);
}

/** Every shape at its bound, one rule each. */
export const deepestText = [
  chainOf(mostLevels),
  bracketsOf(mostOpenBrackets),
  rule('branches', `${'if true then true else '.repeat(190)}true`),
  rule('negations', `${'!!!('.repeat(mostOpenBrackets - 3)}true${')'.repeat(mostOpenBrackets - 3)}`),
  rule('bracketed-chains', `${'(true && true || '.repeat(60)}true${')'.repeat(60)}`),
  rule('bracketed-branches', `${'(if true then true else '.repeat(60)}true${')'.repeat(60)}`),
  rule('sets', `${'['.repeat(60)}1${']'.repeat(60)} == ${'['.repeat(60)}1${']'.repeat(60)}`),
].join('');
