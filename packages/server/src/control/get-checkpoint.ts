// Owns the answer with a log's newest signed checkpoint.

import type { ledgerCheckpoint } from '@countersign/contract/evidence-operations';
import { AppError } from '@countersign/core/errors';
import { readHead } from '../stores/heads.ts';
import { logOf } from './log-of.ts';
import type { Query } from './run-query.ts';

/** The newest committed checkpoint and the key that verifies it. */
export const getCheckpoint: Query<typeof ledgerCheckpoint> = async (ctx, { query }) => {
  const head = await readHead(ctx.store, await logOf(ctx, query.log));
  if (head === undefined) throw new AppError('internal', 'the organization has no log');
  return { checkpoint: head.checkpoint, verifierKey: head.verifierKey };
};
