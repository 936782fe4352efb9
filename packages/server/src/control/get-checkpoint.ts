// Owns the answer with a log's newest signed checkpoint, or the newest that witnesses have cosigned.

import type { ledgerCheckpoint } from '@countersign/contract/evidence-operations';
import { AppError } from '@countersign/core/errors';
import { readSuccession } from '../stores/closed-logs.ts';
import { readCosigned } from '../stores/cosignatures.ts';
import { readHead } from '../stores/heads.ts';
import { logOf } from './log-of.ts';
import type { Query } from './run-query.ts';

/** The newest committed checkpoint, or the newest cosigned one, the key that verifies it, and what ties that to a former log's. */
export const getCheckpoint: Query<typeof ledgerCheckpoint> = async (ctx, { query }) => {
  const orgId = await logOf(ctx, query.log);
  const head = await readHead(ctx.store, orgId);
  if (head === undefined) throw new AppError('internal', 'the organization has no log');
  const { checkpoint, verifierKey } = head;
  if (!query.cosigned) {
    const succession = await readSuccession(ctx.store, orgId);
    return { checkpoint, verifierKey, ...(succession === undefined ? {} : { succession }) };
  }
  const cosigned = await readCosigned(ctx.store, orgId);
  if (cosigned?.origin !== head.origin)
    throw new AppError(
      'not_found',
      'this log has not been cosigned yet by as many witnesses as `COUNTERSIGN_WITNESSES` says: name them there, and make the log known to them',
    );
  return { checkpoint: cosigned.checkpoint, verifierKey };
};
