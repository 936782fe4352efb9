// Owns keeping what witnesses have cosigned, and which checkpoint is the newest that enough of them have.

import type { OrgId } from '@countersign/core/ids';
import { type LogPolicy, quorumMet } from '@countersign/core/ledger/log-policy';
import { formatVerifierKey } from '@countersign/core/ledger/note';
import type { Kysely } from 'kysely';
import {
  listCosignatures,
  readCosigned,
  type StoredCosignature,
  writeCosignature,
  writeCosigned,
} from '../../stores/cosignatures.ts';
import type { Tables } from '../../stores/schema.ts';

/**
 * Keeps a witness's newest cosignature. Where those that cosigned the same text are as many as the list of witnesses
 * asks for (without a quorum: one), the checkpoint with all their lines becomes the log's cosigned one.
 */
export async function keepCosignature(
  db: Kysely<Tables>,
  witnesses: LogPolicy,
  orgId: OrgId,
  kept: StoredCosignature,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await writeCosignature(tx, orgId, kept);
    const names = new Map(witnesses.witnesses.map(({ name, key }) => [formatVerifierKey(key), name]));
    const alike = (await listCosignatures(tx, orgId)).filter(
      ({ checkpoint, witnessKey }) => checkpoint === kept.checkpoint && names.has(witnessKey),
    );
    const agreed = new Set(alike.map(({ witnessKey }) => names.get(witnessKey) ?? ''));
    if (!quorumMet(witnesses, agreed)) return;
    const { origin, size } = kept;
    const former = await readCosigned(tx, orgId);
    if (former?.origin === origin && former.size > size) return;
    const lines = alike.map(({ signature }) => signature).join('');
    await writeCosigned(tx, orgId, { origin, size, checkpoint: kept.checkpoint + lines });
  });
}
