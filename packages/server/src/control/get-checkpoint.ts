// Owns the answer with the ledger's newest signed checkpoint.

import type { ledgerCheckpoint } from '@countersign/contract/evidence-operations';
import { AppError } from '@countersign/core/errors';
import { readHead } from '../stores/heads.ts';
import { demand } from './guard.ts';
import type { Query } from './run-query.ts';

/** The newest committed checkpoint and the key that verifies it. */
export const getCheckpoint: Query<typeof ledgerCheckpoint> = async (ctx) => {
  demand(ctx.actor, 'ledger.read', 'organization');
  const head = await readHead(ctx.store, ctx.orgId);
  if (head === undefined) throw new AppError('internal', 'the organization has no log');
  return { checkpoint: head.checkpoint, verifierKey: head.verifierKey };
};
