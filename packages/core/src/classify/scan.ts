// Owns the state of one pass over a text: what the detectors remember from left to right.

import type { BuiltinLabel, Sink, Units } from './types.ts';

/** How far, in code units, a word such as "phone" reaches to the number after it. */
export const wordReach = 40;
/** How far a birth word may stand behind its date. */
export const backReach = 24;

const never = -1_000_000;

/** Groups of digits read ahead from one number: lengths, ends and the separator after each. */
export type Groups = {
  readonly length: number[];
  readonly end: number[];
  readonly separator: number[];
};

export type Scan = {
  readonly text: Units;
  readonly sink: Sink;
  readonly groups: Groups;
  /** End of the last finding. INVARIANT: findings never overlap. */
  lastEnd: number;
  lineStart: number;
  /** Ends of the last word that speaks of phones, of social security, of birth. */
  phoneWord: number;
  ssnWord: number;
  birthWord: number;
  /** End of the last date that counted, for lists of dates. */
  birthDateEnd: number;
  /** The last date that stood beside no word, in case the word follows. */
  looseDateStart: number;
  looseDateEnd: number;
  /** End of the base64url token that was measured last, and where that measuring began. */
  tokenStart: number;
  tokenEnd: number;
  /** The first marking that only a repetition would make a banner. */
  weakStart: number;
  weakEnd: number;
  weakCount: number;
};

/** A pass that has seen nothing yet. */
export function startScan(text: Units, sink: Sink): Scan {
  return {
    text,
    sink,
    groups: { length: [0, 0, 0, 0, 0, 0], end: [0, 0, 0, 0, 0, 0], separator: [0, 0, 0, 0, 0, 0] },
    lastEnd: 0,
    lineStart: 0,
    phoneWord: never,
    ssnWord: never,
    birthWord: never,
    birthDateEnd: never,
    looseDateStart: never,
    looseDateEnd: never,
    tokenStart: 0,
    tokenEnd: 0,
    weakStart: never,
    weakEnd: never,
    weakCount: 0,
  };
}

/** Reports a finding and returns its end, where the pass goes on; 0 if it would overlap the last one. */
export function report(scan: Scan, label: BuiltinLabel, start: number, end: number): number {
  if (start < scan.lastEnd) return 0;
  scan.lastEnd = end;
  scan.sink(label, start, end);
  return end;
}
