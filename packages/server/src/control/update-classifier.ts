// Owns changes of an organization's own classifier: its name, terms, patterns and how they match.

import type { classifierUpdate } from '@countersign/contract/model-operations';
import type { Classifier } from '@countersign/core/directory/objects';
import { checkClassifier } from './check-classifier.ts';
import { type Command, changed } from './command.ts';
import { difference } from './difference.ts';
import { demand } from './guard.ts';

/** Changes what the body names; the label stays, since policies name it. */
export const updateClassifier: Command<typeof classifierUpdate> = async (view, ctx, { params, body }) => {
  demand(ctx.actor, 'classifiers.write', 'organization');
  const { state: before } = await view.need('classifier', params.id);
  const state: Classifier = {
    ...before,
    name: body.name ?? before.name,
    terms: body.terms ?? before.terms,
    patterns: body.patterns ?? before.patterns,
    caseSensitive: body.caseSensitive ?? before.caseSensitive,
    wholeWord: body.wholeWord ?? before.wholeWord,
  };
  await checkClassifier(view, state);
  const changes = difference(before, changed({ kind: 'classifier', id: before.id, state }));
  return { response: state, changes };
};
