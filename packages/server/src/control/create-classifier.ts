// Owns the making of an organization's own classifier.

import type { classifierCreate } from '@countersign/contract/model-operations';
import type { Classifier } from '@countersign/core/directory/objects';
import { checkClassifier } from './check-classifier.ts';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';

/** Makes a classifier if it compiles together with all others. */
export const createClassifier: Command<typeof classifierCreate> = async (view, ctx, { body }) => {
  demand(ctx.actor, 'classifiers.write', 'organization');
  const id = ctx.newId('classifier');
  const state: Classifier = { ...body, id };
  await checkClassifier(view, state);
  return { response: state, changes: [changed({ kind: 'classifier', id, state })] };
};
