// Owns the question when a person last left a trace: what a retention period counts from.

import type { OrgId } from '@countersign/core/ids';
import { listRecords } from './records.ts';
import type { Store } from './schema.ts';

/** The first 48 bits of a UUIDv7 are its time in milliseconds (RFC 9562 section 5.7). */
function timeOf(entryId: string): number {
  return Number.parseInt(entryId.replaceAll('-', '').slice(0, 12), 16);
}

/**
 * When the newest record or sealed content of a principal was made, in milliseconds since 1970; undefined for
 * none. Records lag by at most a second behind the log, sealed content does not.
 */
export async function lastTraceAt(
  store: Store,
  orgId: OrgId,
  principalId: string,
): Promise<number | undefined> {
  const [record] = await listRecords(store, orgId, { actor: principalId }, undefined, 1);
  const sidecar = await store
    .selectFrom('sidecars')
    .select('entry_id')
    .where('org_id', '=', orgId)
    .where('subject_id', '=', principalId)
    .orderBy('entry_id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const times = [
    ...(record === undefined ? [] : [record.at]),
    ...(sidecar === undefined ? [] : [timeOf(sidecar.entry_id)]),
  ];
  return times.length === 0 ? undefined : Math.max(...times);
}
