// Owns the proof that the automaton finds what a naive search finds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildAutomaton, findTerms, NestedTermsError, type Term } from './aho-corasick.ts';

type Found = readonly [owner: number, start: number, end: number];

function find(terms: readonly Term[], foldCase: boolean, text: string): readonly Found[] {
  const found: Found[] = [];
  const units = Uint16Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  findTerms(buildAutomaton(terms, foldCase, 3), units, (owner, start, end) =>
    found.push([owner, start, end]),
  );
  return found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

function isWord(text: string, i: number): boolean {
  return /[\p{L}\p{N}_]/u.test(text.charAt(i));
}

/** Every occurrence of every term, then overlapping ones of one owner joined. */
function findNaively(terms: readonly Term[], foldCase: boolean, text: string): readonly Found[] {
  const read = (s: string): string => (foldCase ? s.toLowerCase() : s);
  const all: Found[] = [];
  for (const { text: term, owner, wholeWord } of terms) {
    for (let i = 0; i + term.length <= text.length; i += 1) {
      if (read(text.slice(i, i + term.length)) !== read(term)) continue;
      if (wholeWord && ((i > 0 && isWord(text, i - 1)) || isWord(text, i + term.length))) continue;
      all.push([owner, i, i + term.length]);
    }
  }
  all.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const joined: Found[] = [];
  for (const [owner, start, end] of all) {
    const last = joined.at(-1);
    if (last !== undefined && last[0] === owner && start < last[2]) {
      joined[joined.length - 1] = [owner, last[1], Math.max(end, last[2])];
    } else joined.push([owner, start, end]);
  }
  return joined;
}

const letters = fc.constantFrom('a', 'b', 'A', 'é', '会', ' ', '-');
const word = fc.array(letters, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));
const term = fc.record({ text: word, owner: fc.nat(2), wholeWord: fc.boolean() });

test('automaton and naive search cover the same text', () => {
  fc.assert(
    fc.property(
      fc.array(term, { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      fc.array(letters, { maxLength: 40 }),
      (terms, foldCase, parts) => {
        const text = parts.join('');
        const covered = (found: readonly Found[]): ReadonlySet<string> =>
          new Set(
            found.flatMap(([owner, start, end]) =>
              Array.from({ length: end - start }, (_, k) => `${owner}:${start + k}`),
            ),
          );
        assert.deepEqual(covered(find(terms, foldCase, text)), covered(findNaively(terms, foldCase, text)));
      },
    ),
    { numRuns: 2000 },
  );
});

test('findings of one owner never overlap', () => {
  fc.assert(
    fc.property(
      fc.array(term, { minLength: 1, maxLength: 6 }),
      fc.array(letters, { maxLength: 40 }),
      (terms, parts) => {
        let last: Found = [-1, 0, 0];
        for (const found of find(terms, true, parts.join(''))) {
          assert.ok(found[0] !== last[0] || found[1] >= last[2]);
          last = found;
        }
      },
    ),
  );
});

test('terms nested too deep are refused', () => {
  const terms = Array.from({ length: 9 }, (_, k) => ({
    text: 'a'.repeat(k + 1),
    owner: 0,
    wholeWord: false,
  }));
  assert.throws(() => buildAutomaton(terms, false, 1), NestedTermsError);
  assert.doesNotThrow(() => buildAutomaton(terms.slice(1), false, 1));
});
