// Owns the list of classifiers.

import type { classifierList } from '@countersign/contract/model-operations';
import { inScope, listStates } from './list-visible.ts';
import type { Query } from './run-query.ts';

/** Classifiers, newest first, as far as the asker may read them. */
export const listClassifiers: Query<typeof classifierList> = (ctx, { query }) =>
  listStates(
    ctx,
    'classifier',
    query,
    inScope(ctx, 'classifiers.read', () => 'organization'),
  );
