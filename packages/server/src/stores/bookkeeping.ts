// Owns small tables beside the objects: replays of writes, keys' last use, erasure requests, the installation.

import { AppError } from '@countersign/core/errors';
import { isId, type OrgId } from '@countersign/core/ids';
import type { BuiltStatements } from './built-statements.ts';
import { insertRows } from './insert-rows.ts';
import type { Store, Tx } from './schema.ts';

export type Replay = { readonly requestHash: string; readonly response: string };

/** What a write under this `Idempotency-Key` answered before, without secrets. */
export async function findReplay(
  tx: Tx,
  orgId: OrgId,
  principalId: string,
  idempotencyKey: string,
): Promise<Replay | undefined> {
  const row = await tx
    .selectFrom('idempotency')
    .select(['request_hash', 'response'])
    .where('org_id', '=', orgId)
    .where('principal_id', '=', principalId)
    .where('idempotency_key', '=', idempotencyKey)
    .executeTakeFirst();
  return row === undefined ? undefined : { requestHash: row.request_hash, response: row.response };
}

export async function insertReplay(
  tx: Tx,
  orgId: OrgId,
  row: {
    readonly principalId: string;
    readonly idempotencyKey: string;
    readonly requestHash: string;
    readonly response: string;
    readonly nowMs: number;
  },
): Promise<void> {
  await tx
    .insertInto('idempotency')
    .values({
      org_id: orgId,
      principal_id: row.principalId,
      idempotency_key: row.idempotencyKey,
      request_hash: row.requestHash,
      response: row.response,
      created_at: row.nowMs,
    })
    .execute();
}

/** Forgets replays made before `beforeMs`. Spans organizations: a job's work. */
export async function removeOldReplays(tx: Tx, beforeMs: number): Promise<void> {
  await tx.deleteFrom('idempotency').where('created_at', '<', beforeMs).execute();
}

/** Notes when keys were last used; never moves a moment back. */
export async function writeKeyUses(
  tx: Tx,
  orgId: OrgId,
  uses: ReadonlyMap<string, number>,
  built?: BuiltStatements,
): Promise<void> {
  const rows = [...uses].map(([keyId, lastUsedAt]) => ({ key_id: keyId, last_used_at: lastUsedAt }));
  await insertRows(
    tx,
    orgId,
    rows,
    (part) =>
      tx
        .insertInto('key_uses')
        .values(part.map((row) => ({ org_id: orgId, ...row })))
        .onConflict((conflict) =>
          conflict
            .columns(['org_id', 'key_id'])
            .doUpdateSet((eb) => ({ last_used_at: eb.ref('excluded.last_used_at') }))
            .whereRef('key_uses.last_used_at', '<', 'excluded.last_used_at'),
        ),
    'key_uses',
    built,
  );
}

export async function readKeyUses(
  store: Store,
  orgId: OrgId,
  keyIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (keyIds.length === 0) return new Map();
  const rows = await store
    .selectFrom('key_uses')
    .select(['key_id', 'last_used_at'])
    .where('org_id', '=', orgId)
    .where('key_id', 'in', [...keyIds])
    .execute();
  return new Map(rows.map((row) => [row.key_id, row.last_used_at]));
}

export type ErasureRequest = {
  readonly requestedBy: string;
  readonly reason: string;
  readonly createdAt: number;
};

export async function findErasureRequest(
  tx: Tx,
  orgId: OrgId,
  userId: string,
): Promise<ErasureRequest | undefined> {
  const row = await tx
    .selectFrom('erasure_requests')
    .select(['requested_by', 'reason', 'created_at'])
    .where('org_id', '=', orgId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row === undefined
    ? undefined
    : { requestedBy: row.requested_by, reason: row.reason, createdAt: row.created_at };
}

/** Notes who asks for an erasure; a newer request replaces an older one. */
export async function writeErasureRequest(
  tx: Tx,
  orgId: OrgId,
  request: {
    readonly userId: string;
    readonly requestedBy: string;
    readonly reason: string;
    readonly nowMs: number;
  },
): Promise<void> {
  const row = {
    requested_by: request.requestedBy,
    reason: request.reason,
    created_at: request.nowMs,
  };
  await tx
    .insertInto('erasure_requests')
    .values({ org_id: orgId, user_id: request.userId, ...row })
    .onConflict((conflict) => conflict.columns(['org_id', 'user_id']).doUpdateSet(row))
    .execute();
}

export async function removeErasureRequest(tx: Tx, orgId: OrgId, userId: string): Promise<void> {
  await tx.deleteFrom('erasure_requests').where('org_id', '=', orgId).where('user_id', '=', userId).execute();
}

export type Installation = {
  readonly orgId: OrgId;
  readonly setupDigest: string | null;
  readonly sealedIndexKey: Uint8Array;
};

/** The installation's own log and set-up state, or undefined on an empty store. */
export async function readInstallation(store: Store): Promise<Installation | undefined> {
  const row = await store
    .selectFrom('installation')
    .select(['org_id', 'setup_digest', 'sealed_index_key'])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  if (!isId('org', row.org_id)) throw new AppError('internal', 'the installation row holds a malformed id');
  return { orgId: row.org_id, setupDigest: row.setup_digest, sealedIndexKey: row.sealed_index_key };
}

export async function insertInstallation(
  tx: Tx,
  orgId: OrgId,
  sealedIndexKey: Uint8Array,
  nowMs: number,
): Promise<void> {
  await tx
    .insertInto('installation')
    .values({ org_id: orgId, setup_digest: null, sealed_index_key: sealedIndexKey, created_at: nowMs })
    .execute();
}

/** Writes what is there already: it fails where nothing can be written. */
export async function touchInstallation(tx: Tx): Promise<void> {
  await tx
    .updateTable('installation')
    .set((eb) => ({ setup_digest: eb.ref('setup_digest') }))
    .execute();
}

export async function setSetupDigest(tx: Tx, digest: string | null): Promise<void> {
  await tx.updateTable('installation').set({ setup_digest: digest }).execute();
}
