// Owns the view of one provider.

import type { providerGet } from '@countersign/contract/model-operations';
import { inScope, needVisible } from './list-visible.ts';
import { providerViewOf } from './provider-view.ts';
import type { Query } from './run-query.ts';

/** The provider, if the asker may read providers. */
export const getProvider: Query<typeof providerGet> = async (ctx, { params }) => {
  const isVisible = inScope<'provider'>(ctx, 'providers.read', () => 'organization');
  return providerViewOf((await needVisible(ctx, 'provider', params.id, isVisible)).state);
};
