// Owns an organization's own classifiers: dictionaries and patterns, checked and compiled once, then searched.

import { AppError, assertNever, type FieldError } from '../errors.ts';
import {
  type Automaton,
  buildAutomaton,
  findTerms,
  mostNestedTerms,
  NestedTermsError,
  type Term,
} from './aho-corasick.ts';
import { type Normal, normalise } from './normalise.ts';
import { compilePattern, findPattern, type Pattern, type Work } from './patterns.ts';
import { builtinDetectorVersion, isReservedLabel, type Sink } from './types.ts';

export type ClassifierSpec =
  | {
      readonly kind: 'dictionary';
      readonly label: string;
      readonly terms: readonly string[];
      readonly foldCase: boolean;
      readonly wholeWords: boolean;
    }
  | {
      readonly kind: 'pattern';
      readonly label: string;
      readonly pattern: string;
      readonly foldCase: boolean;
    };

/** Limits of one organization's classifiers. */
export const classifierLimits = {
  classifiers: 64,
  patterns: 32,
  terms: 20_000,
  termUnits: 400_000,
  termLength: 256,
} as const;

/** Compiled classifiers; immutable but for the engines' own caches. */
export type OrgClassifiers = {
  readonly version: string;
  /** Names all detectors that read a text with these, for the record. */
  readonly detector: string;
  /** Labels by the owner index that the automata report. */
  readonly labels: readonly string[];
  readonly automata: readonly Automaton[];
  readonly patterns: readonly Pattern[];
};

const labelForm = /^[a-z][a-z0-9_]{0,63}$/;
const versionForm = /^[A-Za-z0-9._-]{1,64}$/;

function refuse(fields: readonly FieldError[]): AppError {
  return new AppError('invalid_request', fields[0]?.message ?? 'the classifiers are not valid', { fields });
}

/** Throws AppError `invalid_request` with the offending field. */
function check(condition: boolean, path: string, message: string): void {
  if (!condition) throw refuse([{ path, message }]);
}

function checkLabel(label: string, path: string): void {
  check(
    labelForm.test(label),
    path,
    `label \`${label.slice(0, 64)}\` must begin with a letter and hold only a-z, 0-9 and _, at most 64`,
  );
  check(
    !isReservedLabel(label),
    path,
    `label \`${label}\` belongs to the built-in detectors, choose another`,
  );
}

function checkCounts(specs: readonly ClassifierSpec[]): void {
  const limits = classifierLimits;
  const patterns = specs.filter((spec) => spec.kind === 'pattern').length;
  const terms = specs.flatMap((spec) => (spec.kind === 'dictionary' ? spec.terms : []));
  const units = terms.reduce((sum, term) => sum + term.length, 0);
  const over = (what: string, found: number, most: number): void =>
    check(found <= most, 'classifiers', `${found} ${what} are more than ${most}, remove some`);
  over('classifiers', specs.length, limits.classifiers);
  over('patterns', patterns, limits.patterns);
  over('dictionary terms', terms.length, limits.terms);
  over('characters in dictionary terms', units, limits.termUnits);
}

/** A term as texts are read: normalised, so that a full-width term and text meet. */
function readTerm(term: string, path: string): string {
  const { text } = normalise(term);
  check(
    text.trim().length > 1,
    path,
    `term \`${term.slice(0, 64)}\` must hold at least 2 visible characters`,
  );
  check(
    text.length <= classifierLimits.termLength,
    path,
    `a term has ${text.length} characters, shorten it to at most ${classifierLimits.termLength}`,
  );
  return text.trim();
}

type Drafts = {
  readonly folded: Term[];
  readonly exact: Term[];
  readonly labels: string[];
  readonly patterns: Pattern[];
};

function addPattern(drafts: Drafts, spec: ClassifierSpec & { readonly kind: 'pattern' }, path: string): void {
  try {
    drafts.patterns.push(compilePattern(spec.label, spec.pattern, spec.foldCase));
  } catch (error) {
    if (error instanceof AppError) throw refuse([{ path: `${path}.pattern`, message: error.message }]);
    throw error;
  }
}

function addSpec(drafts: Drafts, spec: ClassifierSpec, path: string): void {
  checkLabel(spec.label, `${path}.label`);
  switch (spec.kind) {
    case 'dictionary': {
      check(spec.terms.length > 0, `${path}.terms`, 'a dictionary needs at least one term');
      const owner = drafts.labels.push(spec.label) - 1;
      const into = spec.foldCase ? drafts.folded : drafts.exact;
      spec.terms.forEach((term, k) => {
        into.push({ text: readTerm(term, `${path}.terms[${k}]`), owner, wholeWord: spec.wholeWords });
      });
      return;
    }
    case 'pattern':
      addPattern(drafts, spec, path);
      return;
    default:
      assertNever(spec);
  }
}

function build(terms: readonly Term[], foldCase: boolean, owners: number): readonly Automaton[] {
  if (terms.length === 0) return [];
  try {
    return [buildAutomaton(terms, foldCase, owners)];
  } catch (error) {
    if (!(error instanceof NestedTermsError)) throw error;
    const message = `more than ${mostNestedTerms} terms end inside \`${error.term}\`, keep only the shortest of them`;
    throw refuse([{ path: 'classifiers', message }]);
  }
}

/**
 * Checks and compiles an organization's classifiers; `version` names this set in records.
 * Throws AppError `invalid_request` whose `fields` name the classifier and term.
 */
export function compileClassifiers(version: string, specs: readonly ClassifierSpec[]): OrgClassifiers {
  check(versionForm.test(version), 'version', 'a version holds 1 to 64 letters, digits, dots, hyphens');
  checkCounts(specs);
  const drafts: Drafts = { folded: [], exact: [], labels: [], patterns: [] };
  specs.forEach((spec, k) => {
    addSpec(drafts, spec, `classifiers[${k}]`);
  });
  const owners = drafts.labels.length;
  const automata = [...build(drafts.folded, true, owners), ...build(drafts.exact, false, owners)];
  const detector = `${builtinDetectorVersion}+${version}`;
  return { version, detector, labels: drafts.labels, automata, patterns: drafts.patterns };
}

/**
 * Reports what the organization's classifiers find in normalised text. When `work` is exhausted, findings are
 * incomplete and the caller must take the strictest reading.
 */
export function findCustom(
  classifiers: OrgClassifiers,
  { text, units }: Pick<Normal, 'text' | 'units'>,
  work: Work,
  sink: Sink<string>,
): void {
  for (const automaton of classifiers.automata) {
    findTerms(automaton, units, (owner, start, end) => {
      const label = classifiers.labels[owner];
      if (label !== undefined) sink(label, start, end);
    });
  }
  for (const pattern of classifiers.patterns) findPattern(pattern, text, work, sink);
}
