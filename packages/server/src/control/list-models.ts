// Owns the list of models, with the prices in force.

import type { modelList } from '@countersign/contract/model-operations';
import { visiblePage } from './list-visible.ts';
import type { Query } from './run-query.ts';
import { viewsOf, visibleModels } from './visible-models.ts';

/** Models, newest first. A role in one workspace shows the models of that workspace. */
export const listModels: Query<typeof modelList> = async (ctx, { query }) => {
  const page = await visiblePage(ctx, 'model', query, visibleModels(ctx));
  const items = await viewsOf(
    ctx,
    page.rows.map(({ state }) => state),
  );
  return page.next === undefined ? { items } : { items, next: page.next };
};
