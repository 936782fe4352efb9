// Owns published policies: each version's text and checked JSON form.

import type { OrgId } from '@countersign/core/ids';
import type { Store, Tx } from './schema.ts';

export type StoredPolicy = {
  readonly version: number;
  readonly hash: string;
  readonly text: string;
  readonly compiled: string;
};

export async function insertPolicy(tx: Tx, orgId: OrgId, policy: StoredPolicy): Promise<void> {
  await tx
    .insertInto('policies')
    .values({
      org_id: orgId,
      version: policy.version,
      hash: policy.hash,
      text: policy.text,
      compiled: policy.compiled,
    })
    .execute();
}

/** The policy of one version, or undefined. */
export async function readPolicy(
  store: Store,
  orgId: OrgId,
  version: number,
): Promise<StoredPolicy | undefined> {
  return store
    .selectFrom('policies')
    .select(['version', 'hash', 'text', 'compiled'])
    .where('org_id', '=', orgId)
    .where('version', '=', version)
    .executeTakeFirst();
}
