// Owns the check of an organization's classifiers as they would be together.

import { compileClassifiers } from '@countersign/core/classify/custom';
import { specsOf } from '@countersign/core/directory/classifiers';
import type { Classifier } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { View } from './view.ts';

/** Throws `invalid_request` if this classifier finds nothing, or if all together do not compile. */
export async function checkClassifier(view: View, classifier: Classifier): Promise<void> {
  if (classifier.terms.length === 0 && classifier.patterns.length === 0)
    throw new AppError('invalid_request', 'a classifier finds something: give it `terms` or `patterns`');
  const others = (await view.listAll('classifier')).filter(({ state }) => state.id !== classifier.id);
  // The checked one goes first, so that a refusal's `classifiers[0]` is the caller's own.
  const all = [classifier, ...others.map(({ state }) => state)];
  compileClassifiers('check', all.flatMap(specsOf));
}
