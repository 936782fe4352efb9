// Owns the end of an organization's own classifier.

import type { classifierRemove } from '@countersign/contract/model-operations';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';

/** Removes a classifier: its label is given to nothing from the next call on. */
export const removeClassifier: Command<typeof classifierRemove> = async (view, ctx, { params }) => {
  demand(ctx.actor, 'classifiers.write', 'organization');
  const { state } = await view.need('classifier', params.id);
  return {
    response: { id: state.id, removed: true },
    changes: [changed({ kind: 'classifier', id: state.id, state: null })],
  };
};
