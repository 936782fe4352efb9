// Owns the view of the asker's organization: its state, its version, the key of its ledger.

import type { organizationGet } from '@countersign/contract/directory-operations';
import { AppError } from '@countersign/core/errors';
import { readHead } from '../stores/heads.ts';
import { needOrganization } from './needed-organization.ts';
import { organizationViewOf } from './organization-view.ts';
import type { Query } from './run-query.ts';

/** The organization, for whoever may read it in their workspace. */
export const getOrganization: Query<typeof organizationGet> = async (ctx) => {
  const head = await readHead(ctx.store, ctx.orgId);
  if (head === undefined) throw new AppError('internal', 'the organization has no log');
  return organizationViewOf(await needOrganization(ctx), head, head.version);
};
