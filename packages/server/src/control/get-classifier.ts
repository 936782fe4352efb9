// Owns the view of one classifier.

import type { classifierGet } from '@countersign/contract/model-operations';
import { inScope, needVisible } from './list-visible.ts';
import type { Query } from './run-query.ts';

/** The classifier, if the asker may read it. */
export const getClassifier: Query<typeof classifierGet> = async (ctx, { params }) =>
  (
    await needVisible(
      ctx,
      'classifier',
      params.id,
      inScope(ctx, 'classifiers.read', () => 'organization'),
    )
  ).state;
