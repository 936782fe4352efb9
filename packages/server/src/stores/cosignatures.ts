// Owns what witnesses have cosigned: of each log what each witness cosigned last, and the checkpoint that enough of them have.

import type { OrgId } from '@countersign/core/ids';
import type { Store, Tx } from './schema.ts';

export type StoredCosignature = {
  /** The witness's verifier key, as text. */
  readonly witnessKey: string;
  readonly origin: string;
  readonly size: number;
  /** The checkpoint as the log signed it. */
  readonly checkpoint: string;
  /** The witness's line under it, with its line feed. */
  readonly signature: string;
};

/** What each witness cosigned last of this log. */
export async function listCosignatures(store: Store, orgId: OrgId): Promise<readonly StoredCosignature[]> {
  const rows = await store
    .selectFrom('cosignatures')
    .select(['witness_key', 'origin', 'size', 'checkpoint', 'signature'])
    .where('org_id', '=', orgId)
    .orderBy('witness_key')
    .execute();
  return rows.map(({ witness_key, ...row }) => ({ ...row, witnessKey: witness_key }));
}

/** Puts what a witness cosigned in the place of what it had cosigned before. */
export async function writeCosignature(
  tx: Tx,
  orgId: OrgId,
  { witnessKey, ...row }: StoredCosignature,
): Promise<void> {
  await tx
    .insertInto('cosignatures')
    .values({ org_id: orgId, witness_key: witnessKey, ...row })
    .onConflict((conflict) => conflict.columns(['org_id', 'witness_key']).doUpdateSet(row))
    .execute();
}

export type CosignedCheckpoint = {
  readonly origin: string;
  readonly size: number;
  /** The note: the log's signature and the witnesses' lines. */
  readonly checkpoint: string;
};

/** The newest checkpoint of this log that enough witnesses have cosigned. */
export async function readCosigned(store: Store, orgId: OrgId): Promise<CosignedCheckpoint | undefined> {
  return store
    .selectFrom('cosigned_checkpoints')
    .select(['origin', 'size', 'checkpoint'])
    .where('org_id', '=', orgId)
    .executeTakeFirst();
}

/** Puts a cosigned checkpoint in the place of the one before. */
export async function writeCosigned(tx: Tx, orgId: OrgId, row: CosignedCheckpoint): Promise<void> {
  await tx
    .insertInto('cosigned_checkpoints')
    .values({ org_id: orgId, ...row })
    .onConflict((conflict) => conflict.columns(['org_id']).doUpdateSet(row))
    .execute();
}
