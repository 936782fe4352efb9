// Owns the form in which a directory's classifiers reach the detectors.

import type { ClassifierSpec } from '../classify/custom.ts';
import type { Directory } from './directory.ts';
import type { Classifier } from './objects.ts';

/** What one classifier asks the detectors to find: its dictionary, if it has terms, and each of its patterns. */
export function specsOf(classifier: Classifier): readonly ClassifierSpec[] {
  const foldCase = !classifier.caseSensitive;
  const { label, terms, wholeWord } = classifier;
  const patterns = classifier.patterns.map(
    (pattern): ClassifierSpec => ({ kind: 'pattern', label, pattern, foldCase }),
  );
  if (terms.length === 0) return patterns;
  return [{ kind: 'dictionary', label, terms, foldCase, wholeWords: wholeWord }, ...patterns];
}

/** Every classifier of the organization, in the order of their ids. */
export function classifierSpecs(directory: Directory): readonly ClassifierSpec[] {
  const all = [...directory.tables.classifier.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return all.flatMap(specsOf);
}
