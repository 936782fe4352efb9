// Owns an organization's regular expressions: compiled by a linear-time engine, searched under a work limit.

import { RE2JS, RE2JSException } from 're2js';
import { AppError } from '../errors.ts';

export const mostPatternLength = 512;
/** Instructions of one compiled pattern. */
export const mostProgramSize = 200;
/** A longer match is cut here: at least this much of it is found. */
export const mostMatchLength = 256;

export type Pattern = {
  readonly label: string;
  readonly engine: RE2JS;
  /** How far, in code units, a search may look beyond the start of the match that it finds. */
  readonly reach: number;
};

/**
 * What one request may still spend on patterns. The counts are of code units, so that the limit needs no clock;
 * a caller with a clock adds a deadline. `exhausted` means that text was left unexamined.
 */
export type Work = {
  /** Left for deciding whether a pattern matches somewhere (the engine's automaton). */
  scanUnits: number;
  /** Left for finding where it matches (the engine's slower machine). */
  searchUnits: number;
  exhausted: boolean;
  /** Asked at least once every 4,096 code units and pattern; true ends the work. */
  readonly isOverdue: () => boolean;
};

export const defaultScanUnits = 32_000_000;
export const defaultSearchUnits = 4_000_000;

/** The work of one request; `isOverdue` is the caller's deadline, without which only the counts bound it. */
export function startWork(isOverdue: () => boolean = () => false): Work {
  return { scanUnits: defaultScanUnits, searchUnits: defaultSearchUnits, exhausted: false, isOverdue };
}

const unsupported: readonly (readonly [RegExp, string])[] = [
  [/\(\?(?:=|!|<=|<!)/, 'look-ahead and look-behind are not supported, write what must match without them'],
  [/(?:^|[^\\])(?:\\\\)*\\(?:[1-9]|k<)|\(\?P=/, 'back-references are not supported, write both parts out'],
  [/\(\?>|[*+?}]\+/, 'atomic groups and possessive repetition are not supported, use plain groups'],
];

/** Why the engine refused: in our words for what it will never support, in its own for the rest. */
function reasonOf(pattern: string, error: unknown): string {
  const known = unsupported.find(([shape]) => shape.test(pattern));
  if (known !== undefined) return known[1];
  if (error instanceof RE2JSException) return error.message.replace(/^error parsing regexp: /, '');
  return 'it does not compile, simplify it';
}

function refuse(pattern: string, reason: string): AppError {
  const shown = pattern.length > 80 ? `${pattern.slice(0, 80)}…` : pattern;
  return new AppError('invalid_request', `pattern \`${shown}\` is refused: ${reason}`);
}

function compileEngine(pattern: string, foldCase: boolean): RE2JS {
  try {
    return RE2JS.compile(pattern, foldCase ? RE2JS.CASE_INSENSITIVE : 0);
  } catch (error) {
    throw refuse(pattern, reasonOf(pattern, error));
  }
}

/** Contexts in which a pattern such as `\b`, `^` or `x*` matches nothing at all. */
const emptyProbes = ['', 'a', ' a ', '-', '\n', 'a\nb', '0'] as const;

function matchesEmpty(engine: RE2JS): boolean {
  return emptyProbes.some((probe) => {
    const matcher = engine.matcher(probe);
    while (matcher.find()) if (matcher.end() === matcher.start()) return true;
    return false;
  });
}

const blockUnits = 4096;
const windowUnits = 256;

/** Without loops a match takes at most one unit an instruction; with them it may take the whole window. */
function reachOf(pattern: string, size: number): number {
  const mayLoop = /[*+]|\{\d*,\}/.test(pattern);
  // An instruction may take a pair of surrogates, which is two units.
  return mayLoop ? windowUnits + mostMatchLength : size * 2;
}

/** Compiles a pattern in RE2 syntax, or throws AppError `invalid_request` saying what is wrong with it. */
export function compilePattern(label: string, pattern: string, foldCase: boolean): Pattern {
  if (pattern.length === 0) throw refuse(pattern, 'it is empty, write what must match');
  if (pattern.length > mostPatternLength) {
    throw refuse(pattern, `it has ${pattern.length} characters, shorten it to at most ${mostPatternLength}`);
  }
  const engine = compileEngine(pattern, foldCase);
  const size = engine.programSize();
  if (size > mostProgramSize) {
    throw refuse(
      pattern,
      `it compiles to ${size} instructions, lower its repeat counts to stay within ${mostProgramSize}`,
    );
  }
  if (matchesEmpty(engine))
    throw refuse(pattern, 'it matches the empty string, require at least one character');
  return { label, engine, reach: reachOf(pattern, size) };
}

type Found = (label: string, start: number, end: number) => void;

/** True, and the work marked exhausted, when `units` more would pass the limit. */
function overspends(work: Work, kind: 'scanUnits' | 'searchUnits', units: number): boolean {
  work[kind] -= units;
  if (work[kind] >= 0) return false;
  work.exhausted = true;
  return true;
}

function isOver(work: Work): boolean {
  if (work.isOverdue()) work.exhausted = true;
  return work.exhausted;
}

/** Matches that begin in [from, to); returns where the last one ended, or -1 when the work is exhausted. */
function searchWindow(
  pattern: Pattern,
  text: string,
  from: number,
  to: number,
  work: Work,
  found: Found,
): number {
  // One unit of context before, so that `^` and `\b` see the truth; room behind for the longest match.
  const base = Math.max(0, from - 1);
  const window = text.slice(base, to + mostMatchLength);
  const matcher = pattern.engine.matcher(window);
  let at = from - base;
  let last = from;
  while (at < to - base) {
    // Paid before the search, as if it looked at all that is left; what it cannot have seen is given back.
    const left = window.length - at;
    if (overspends(work, 'searchUnits', left)) return -1;
    if (!matcher.find(at)) break;
    const start = matcher.start();
    work.searchUnits += Math.max(0, left - (start - at) - pattern.reach);
    const end = Math.max(matcher.end(), start + 1);
    if (start >= to - base) break;
    if (matcher.end() > start) {
      found(pattern.label, base + start, base + end);
      last = base + end;
    }
    at = end;
  }
  return last;
}

/**
 * Reports where the pattern matches, leftmost first, without overlaps.
 * INVARIANT: bounded by `work`. Finding all matches is quadratic even in linear-time engines (a search that
 * looks far ahead and then settles for one character starts again at the next), so each search sees one
 * window only and pays for all of it in advance.
 */
export function findPattern(pattern: Pattern, text: string, work: Work, found: Found): void {
  let next = 0;
  for (let block = 0; block < text.length; block += blockUnits) {
    const blockEnd = Math.min(text.length, block + blockUnits);
    if (isOver(work) || overspends(work, 'scanUnits', blockEnd - block)) return;
    if (!pattern.engine.test(text.slice(Math.max(0, block - 1), blockEnd + mostMatchLength))) continue;
    for (let from = Math.max(block, next); from < blockEnd; from = Math.max(from + windowUnits, next)) {
      const to = Math.min(blockEnd, from + windowUnits);
      if (isOver(work) || overspends(work, 'scanUnits', to - from)) return;
      if (!pattern.engine.test(text.slice(Math.max(0, from - 1), to + mostMatchLength))) continue;
      next = searchWindow(pattern, text, from, to, work, found);
      if (next < 0) return;
    }
  }
}
