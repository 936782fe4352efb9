// Owns the search for many terms in one pass (Aho and Corasick, CACM 18(6), 1975), over UTF-16 code units.

import { codeAt } from './characters.ts';
import type { Units } from './types.ts';

/** A term that an automaton looks for. `owner` is an index that matches are reported under. */
export type Term = { readonly text: string; readonly owner: number; readonly wholeWord: boolean };

export type Automaton = {
  /** Class of each code unit: `pages[pageOf[c >> 8] * 256 + (c & 255)]`; 0 for units in no term. */
  readonly pageOf: Uint8Array;
  readonly pages: Uint16Array;
  /** The page of the first 256 units. */
  readonly latin: Uint16Array;
  readonly classCount: number;
  /** Open-addressed edges: key is state * classCount + class + 1, 0 when free. */
  readonly edgeKeys: Uint32Array;
  readonly edgeTargets: Uint32Array;
  readonly fail: Uint32Array;
  /** Nearest state on the failure path, itself included, at which a term ends; 0 when there is none. */
  readonly output: Uint32Array;
  readonly termsOf: ReadonlyMap<number, readonly Term[]>;
  readonly owners: number;
  /**
   * Where it is small enough, every transition worked out in advance, by `state * classCount + class`: twice the next
   * `state * classCount`, and one more if terms end there.
   */
  readonly rows: Uint32Array | undefined;
};

/** Entries of the largest table of transitions: 512 KiB an automaton. Larger ones walk their edges. */
const mostRowEntries = 131_072;

/** A term with so many others that end inside it would make each match cost too much. */
export const mostNestedTerms = 8;

/** Terms that end inside one another more than `mostNestedTerms` deep, named by one of them. */
export class NestedTermsError extends Error {
  readonly term: string;

  constructor(term: string) {
    super('too many terms end inside one another');
    this.name = 'NestedTermsError';
    this.term = term;
  }
}

/** One code unit in lower case, where that is one code unit too. */
function fold(c: number): number {
  const lowered = String.fromCharCode(c).toLowerCase();
  return lowered.length === 1 ? lowered.charCodeAt(0) : c;
}

/** Capitals that fold to a unit whose own capital is another one: Kelvin, Angstrom, Ohm, sharp s, theta. */
const otherCapitals = [0x212a, 0x212b, 0x2126, 0x1e9e, 0x3f4] as const;

/** The units that fold to `c`, itself among them; not the title-case digraphs and Greek capitals with iota. */
function spellings(c: number): readonly number[] {
  const raised = String.fromCharCode(c).toUpperCase();
  const capital = raised.length === 1 ? raised.charCodeAt(0) : c;
  return [c, capital, ...otherCapitals].filter((unit) => fold(unit) === c);
}

type Classes = Pick<Automaton, 'pageOf' | 'pages' | 'latin' | 'classCount'>;

function makeClasses(terms: readonly Term[], foldCase: boolean): Classes {
  const units = new Set<number>();
  for (const { text } of terms) {
    for (let i = 0; i < text.length; i += 1) {
      units.add(foldCase ? fold(text.charCodeAt(i)) : text.charCodeAt(i));
    }
  }
  const pageOf = new Uint8Array(256);
  const filled: Uint16Array[] = [new Uint16Array(256)];
  let classCount = 1;
  for (const unit of units) {
    for (const c of foldCase ? spellings(unit) : [unit]) {
      if (pageOf[c >> 8] === 0) pageOf[c >> 8] = filled.push(new Uint16Array(256)) - 1;
      filled[pageOf[c >> 8] ?? 0]?.fill(classCount, c & 255, (c & 255) + 1);
    }
    classCount += 1;
  }
  const pages = new Uint16Array(filled.length * 256);
  filled.forEach((page, k) => {
    pages.set(page, k * 256);
  });
  const first = (pageOf[0] ?? 0) * 256;
  return { pageOf, pages, latin: pages.subarray(first, first + 256), classCount };
}

function classOf({ pages, pageOf }: Classes, c: number): number {
  return pages[(pageOf[c >> 8] ?? 0) * 256 + (c & 255)] ?? 0;
}

/** Target of the edge from `state` by `cls`, or 0. */
function edge(keys: Uint32Array, targets: Uint32Array, key: number): number {
  const mask = keys.length - 1;
  for (let slot = (Math.imul(key, 0x9e3779b1) >>> 8) & mask; ; slot = (slot + 1) & mask) {
    const found = keys[slot];
    if (found === key) return targets[slot] ?? 0;
    if (found === 0 || found === undefined) return 0;
  }
}

function putEdge(keys: Uint32Array, targets: Uint32Array, key: number, target: number): void {
  const mask = keys.length - 1;
  let slot = (Math.imul(key, 0x9e3779b1) >>> 8) & mask;
  while (keys[slot] !== 0) slot = (slot + 1) & mask;
  keys[slot] = key;
  targets[slot] = target;
}

type Trie = { readonly parents: number[]; readonly classes: number[]; readonly termsOf: Map<number, Term[]> };

function addTerm(trie: Trie, term: Term, classes: Classes, keys: Uint32Array, targets: Uint32Array): void {
  let state = 0;
  for (let i = 0; i < term.text.length; i += 1) {
    const cls = classOf(classes, term.text.charCodeAt(i));
    const key = state * classes.classCount + cls + 1;
    let next = edge(keys, targets, key);
    if (next === 0) {
      next = trie.parents.length;
      trie.parents.push(state);
      trie.classes.push(cls);
      putEdge(keys, targets, key, next);
    }
    state = next;
  }
  const here = trie.termsOf.get(state) ?? [];
  const isKnown = here.some((t) => t.owner === term.owner && t.wholeWord === term.wholeWord);
  if (!isKnown) trie.termsOf.set(state, [...here, term]);
}

/** States by depth, the root first, so that failure links can be computed from shorter to longer. */
function byDepth(trie: Trie): Uint32Array {
  const depth = new Uint32Array(trie.parents.length);
  for (let s = 1; s < depth.length; s += 1) depth[s] = (depth[trie.parents[s] ?? 0] ?? 0) + 1;
  return Uint32Array.from(depth.keys()).sort((a, b) => (depth[a] ?? 0) - (depth[b] ?? 0));
}

/**
 * Builds the automaton of these non-empty terms. Memory is about 40 bytes for each code unit of them.
 * Throws NestedTermsError.
 */
export function buildAutomaton(terms: readonly Term[], foldCase: boolean, owners: number): Automaton {
  const classes = makeClasses(terms, foldCase);
  const total = terms.reduce((sum, term) => sum + term.text.length, 0);
  const capacity = 2 ** Math.ceil(Math.log2(Math.max(16, total * 2)));
  const edgeKeys = new Uint32Array(capacity);
  const edgeTargets = new Uint32Array(capacity);
  const trie: Trie = { parents: [0], classes: [0], termsOf: new Map() };
  for (const term of terms) addTerm(trie, term, classes, edgeKeys, edgeTargets);
  const states = trie.parents.length;
  const fail = new Uint32Array(states);
  const output = new Uint32Array(states);
  const nested = new Uint16Array(states);
  for (const state of byDepth(trie)) {
    if (state === 0) continue;
    const parent = trie.parents[state] ?? 0;
    const cls = trie.classes[state] ?? 0;
    let link = 0;
    for (let from = parent; from !== 0 && link === 0; ) {
      from = fail[from] ?? 0;
      link = edge(edgeKeys, edgeTargets, from * classes.classCount + cls + 1);
    }
    fail[state] = link;
    const ends = trie.termsOf.get(state)?.length ?? 0;
    output[state] = ends > 0 ? state : (output[link] ?? 0);
    nested[state] = (nested[link] ?? 0) + ends;
    if ((nested[state] ?? 0) > mostNestedTerms)
      throw new NestedTermsError(trie.termsOf.get(state)?.[0]?.text ?? '');
  }
  const edges = { ...classes, edgeKeys, edgeTargets, fail };
  return { ...edges, output, termsOf: trie.termsOf, owners, rows: rowsOf(edges, output) };
}

type Edges = Pick<Automaton, 'classCount' | 'edgeKeys' | 'edgeTargets' | 'fail'>;

/** The state that follows from `state` by a class that some term holds. At most two steps a unit, amortised. */
function step({ classCount, edgeKeys, edgeTargets, fail }: Edges, state: number, cls: number): number {
  let from = state;
  let next = edge(edgeKeys, edgeTargets, from * classCount + cls + 1);
  while (next === 0 && from !== 0) {
    from = fail[from] ?? 0;
    next = edge(edgeKeys, edgeTargets, from * classCount + cls + 1);
  }
  return next;
}

function rowsOf(edges: Edges, output: Uint32Array): Uint32Array | undefined {
  const states = edges.fail.length;
  const { classCount } = edges;
  if (states * classCount > mostRowEntries) return undefined;
  const rows = new Uint32Array(states * classCount);
  for (let state = 0; state < states; state += 1) {
    for (let cls = 1; cls < classCount; cls += 1) {
      const next = step(edges, state, cls);
      rows[state * classCount + cls] = next * classCount * 2 + (output[next] === 0 ? 0 : 1);
    }
  }
  return rows;
}

const wordUnit = /[\p{L}\p{N}_]/u;

/** A code unit that belongs to a word: letter, digit, underscore; half of a surrogate pair counts as one. */
function isWordUnit(text: Units, i: number): boolean {
  const c = codeAt(text, i);
  if (c < 128) return (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95;
  return wordUnit.test(String.fromCharCode(c));
}

type Pending = { readonly start: Int32Array; readonly end: Int32Array; readonly flushed: Int32Array };

type Found = (owner: number, start: number, end: number) => void;

function seeMatch(pending: Pending, owner: number, start: number, end: number, found: Found): void {
  const from = Math.max(start, pending.flushed[owner] ?? 0);
  const last = pending.end[owner] ?? 0;
  if (last > 0 && from < last) {
    pending.start[owner] = Math.min(from, pending.start[owner] ?? 0);
    pending.end[owner] = end;
    return;
  }
  if (last > 0) {
    found(owner, pending.start[owner] ?? 0, last);
    pending.flushed[owner] = last;
  }
  pending.start[owner] = from;
  pending.end[owner] = end;
}

/** Reports the terms that end at unit `i`, where the automaton is in a state with output. */
function seeEnds(
  { output, fail, termsOf }: Automaton,
  state: number,
  text: Units,
  i: number,
  pending: Pending,
  found: Found,
): void {
  for (let out = output[state] ?? 0; out !== 0; out = output[fail[out] ?? 0] ?? 0) {
    for (const term of termsOf.get(out) ?? []) {
      const start = i + 1 - term.text.length;
      if (term.wholeWord && (isWordUnit(text, start - 1) || isWordUnit(text, i + 1))) continue;
      seeMatch(pending, term.owner, start, i + 1, found);
    }
  }
}

function newPending(owners: number): Pending {
  return {
    start: new Int32Array(owners),
    end: new Int32Array(owners),
    flushed: new Int32Array(owners),
  };
}

type Ends = (state: number, i: number) => void;

function walkRows(automaton: Automaton, rows: Uint32Array, text: Units, ends: Ends): void {
  const { latin, classCount } = automaton;
  let row = 0;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i] ?? 0;
    const next = rows[row + (c < 256 ? (latin[c] ?? 0) : classOf(automaton, c))] ?? 0;
    row = next >>> 1;
    if ((next & 1) !== 0) ends(row / classCount, i);
  }
}

function walkEdges(automaton: Automaton, text: Units, ends: Ends): void {
  let state = 0;
  for (let i = 0; i < text.length; i += 1) {
    const cls = classOf(automaton, text[i] ?? 0);
    state = cls === 0 ? 0 : step(automaton, state, cls);
    if (automaton.output[state] !== 0) ends(state, i);
  }
}

/**
 * Reports where terms stand in `text`, by owner. Matches of one owner that overlap are one finding.
 * Time: linear, at most two transitions and `mostNestedTerms` terms a code unit.
 */
export function findTerms(automaton: Automaton, text: Units, found: Found): void {
  const { owners, rows } = automaton;
  let pending: Pending | undefined;
  const ends = (state: number, i: number): void => {
    pending ??= newPending(owners);
    seeEnds(automaton, state, text, i, pending, found);
  };
  if (rows === undefined) walkEdges(automaton, text, ends);
  else walkRows(automaton, rows, text, ends);
  for (let owner = 0; pending !== undefined && owner < owners; owner += 1) {
    const end = pending.end[owner] ?? 0;
    if (end > 0) found(owner, pending.start[owner] ?? 0, end);
  }
}
