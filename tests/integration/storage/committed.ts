// Owns the batches that the kill test commits: their content follows from their number, so that loss is visible.

import { createHash } from 'node:crypto';
import type { SuiteTables } from './fixture-schema.ts';

export const rowsPerBatch = 16;

/** The 1 KiB that belongs at a place. */
export function payloadAt(batch: number, position: number): Uint8Array {
  const digest = createHash('sha256').update(`${batch}/${position}`).digest();
  return new Uint8Array(Buffer.alloc(1024, digest));
}

export function batchRows(batch: number): readonly SuiteTables['commits'][] {
  return Array.from({ length: rowsPerBatch }, (_, position) => ({
    batch,
    position,
    payload: payloadAt(batch, position),
  }));
}
