// Owns every place where a sealed secret lies, for the one job that goes through them all.

import type { Kysely } from 'kysely';
import type { Tables, Tx } from './schema.ts';

export type SealedKind = 'log_key' | 'index_key' | 'subject_key' | 'provider_key';

export type SealedPlace = {
  readonly kind: SealedKind;
  readonly orgId: string;
  readonly id: string;
  readonly sealed: Uint8Array;
};

type Position = { readonly orgId: string; readonly id: string };

type Row = { readonly org_id: string; readonly id: string; readonly sealed: Uint8Array | null };

function placesOf(kind: SealedKind, rows: readonly Row[]): readonly SealedPlace[] {
  return rows.flatMap(({ org_id: orgId, id, sealed }) =>
    sealed === null ? [] : [{ kind, orgId, id, sealed }],
  );
}

/** A chunk of the places of one kind, of all organizations, after a position. */
export async function listSealed(
  db: Kysely<Tables>,
  kind: SealedKind,
  after: Position | undefined,
  limit: number,
): Promise<readonly SealedPlace[]> {
  const { orgId = '', id = '' } = after ?? {};
  switch (kind) {
    case 'log_key': {
      const all = db.selectFrom('heads').select(['org_id', 'org_id as id', 'sealed_signing_key as sealed']);
      return placesOf(kind, await all.where('org_id', '>', orgId).orderBy('org_id').limit(limit).execute());
    }
    case 'index_key': {
      const all = db
        .selectFrom('installation')
        .select(['org_id', 'org_id as id', 'sealed_index_key as sealed']);
      return placesOf(kind, await all.where('org_id', '>', orgId).orderBy('org_id').limit(limit).execute());
    }
    case 'subject_key': {
      const all = db
        .selectFrom('subjects')
        .select(['org_id', 'subject_id as id', 'sealed_key as sealed'])
        .where('sealed_key', 'is not', null)
        .where((eb) =>
          eb.or([eb('org_id', '>', orgId), eb.and([eb('org_id', '=', orgId), eb('subject_id', '>', id)])]),
        );
      return placesOf(kind, await all.orderBy('org_id').orderBy('subject_id').limit(limit).execute());
    }
    case 'provider_key': {
      const all = db
        .selectFrom('provider_keys')
        .select(['org_id', 'provider_id as id', 'sealed'])
        .where((eb) =>
          eb.or([eb('org_id', '>', orgId), eb.and([eb('org_id', '=', orgId), eb('provider_id', '>', id)])]),
        );
      return placesOf(kind, await all.orderBy('org_id').orderBy('provider_id').limit(limit).execute());
    }
  }
}

/** Replaces a sealed secret if it is still the one that was read; false if it was changed meanwhile. */
export async function replaceSealed(tx: Tx, place: SealedPlace, sealed: Uint8Array): Promise<boolean> {
  const { orgId, id } = place;
  const result = await updateOf(tx, place, sealed, orgId, id);
  return result === 1n;
}

async function updateOf(
  tx: Tx,
  place: SealedPlace,
  sealed: Uint8Array,
  orgId: string,
  id: string,
): Promise<bigint> {
  switch (place.kind) {
    case 'log_key': {
      const update = tx.updateTable('heads').set({ sealed_signing_key: sealed }).where('org_id', '=', orgId);
      return (await update.where('sealed_signing_key', '=', place.sealed).executeTakeFirst()).numUpdatedRows;
    }
    case 'index_key': {
      const update = tx
        .updateTable('installation')
        .set({ sealed_index_key: sealed })
        .where('org_id', '=', orgId);
      return (await update.where('sealed_index_key', '=', place.sealed).executeTakeFirst()).numUpdatedRows;
    }
    case 'subject_key': {
      const update = tx.updateTable('subjects').set({ sealed_key: sealed }).where('org_id', '=', orgId);
      const only = update.where('subject_id', '=', id).where('sealed_key', '=', place.sealed);
      return (await only.executeTakeFirst()).numUpdatedRows;
    }
    case 'provider_key': {
      const update = tx.updateTable('provider_keys').set({ sealed }).where('org_id', '=', orgId);
      const only = update.where('provider_id', '=', id).where('sealed', '=', place.sealed);
      return (await only.executeTakeFirst()).numUpdatedRows;
    }
  }
}
