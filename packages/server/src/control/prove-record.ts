// Owns the receipt of one record.

import type { recordProof } from '@countersign/contract/evidence-operations';
import { makeReceipt } from '../services/ledger/receipts.ts';
import type { Query } from './run-query.ts';
import { needRecord } from './visible-records.ts';

/** An inclusion proof of the record's (intent) entry, under a cosigned checkpoint if one covers it, else the newest. */
export const proveRecord: Query<typeof recordProof> = async (ctx, { params }) => {
  const row = await needRecord(ctx, params.id);
  return makeReceipt(ctx.store, ctx.orgId, row.entry_index);
};
