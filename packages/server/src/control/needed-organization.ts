// Owns the look-up of the asker's own organization on the reader.

import type { Organization } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { findObject } from '../stores/objects.ts';
import type { QueryContext } from './run-query.ts';

/** The organization's state. */
export async function needOrganization(ctx: Pick<QueryContext, 'store' | 'orgId'>): Promise<Organization> {
  const found = await findObject(ctx.store, ctx.orgId, 'organization', ctx.orgId);
  if (found === undefined) throw new AppError('internal', 'the organization has no state');
  return found.state;
}
