// Owns the view of one model, with the price in force.

import type { modelGet } from '@countersign/contract/model-operations';
import { AppError } from '@countersign/core/errors';
import { needVisible } from './list-visible.ts';
import type { Query } from './run-query.ts';
import { viewsOf, visibleModels } from './visible-models.ts';

/** The model, if the asker may see it. */
export const getModel: Query<typeof modelGet> = async (ctx, { params }) => {
  const { state } = await needVisible(ctx, 'model', params.id, visibleModels(ctx));
  const [view] = await viewsOf(ctx, [state]);
  if (view === undefined) throw new AppError('internal', 'a model gave no view');
  return view;
};
