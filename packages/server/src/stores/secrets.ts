// Owns what is sealed at rest: subjects' keys and profiles, providers' keys, sidecars of content.

import type { EntryId, OrgId, PrincipalId, ProviderId } from '@countersign/core/ids';
import type { Store, Tx } from './schema.ts';

export type SealedSubject = {
  readonly sealedKey: Uint8Array | null;
  readonly sealedProfile: Uint8Array | null;
};

/** Writes a subject's key and profile; replaces the profile of a known one. */
export async function writeSubject(
  tx: Tx,
  orgId: OrgId,
  subject: {
    readonly id: PrincipalId;
    readonly sealedKey: Uint8Array | null;
    readonly sealedProfile: Uint8Array | null;
    readonly emailIndex: string | null;
  },
): Promise<void> {
  const row = {
    sealed_key: subject.sealedKey,
    sealed_profile: subject.sealedProfile,
    email_index: subject.emailIndex,
  };
  await tx
    .insertInto('subjects')
    .values({ org_id: orgId, subject_id: subject.id, ...row })
    .onConflict((conflict) => conflict.columns(['org_id', 'subject_id']).doUpdateSet(row))
    .execute();
}

export async function readSubject(
  store: Store,
  orgId: OrgId,
  subjectId: PrincipalId,
): Promise<SealedSubject | undefined> {
  const row = await store
    .selectFrom('subjects')
    .select(['sealed_key', 'sealed_profile'])
    .where('org_id', '=', orgId)
    .where('subject_id', '=', subjectId)
    .executeTakeFirst();
  return row === undefined ? undefined : { sealedKey: row.sealed_key, sealedProfile: row.sealed_profile };
}

/** Sealed subjects by id, for a page of people. */
export async function readSubjects(
  store: Store,
  orgId: OrgId,
  ids: readonly string[],
): Promise<ReadonlyMap<string, SealedSubject>> {
  if (ids.length === 0) return new Map();
  const rows = await store
    .selectFrom('subjects')
    .select(['subject_id', 'sealed_key', 'sealed_profile'])
    .where('org_id', '=', orgId)
    .where('subject_id', 'in', [...ids])
    .execute();
  return new Map(
    rows.map((row) => [row.subject_id, { sealedKey: row.sealed_key, sealedProfile: row.sealed_profile }]),
  );
}

/** The subject with this address index in the organization. */
export async function findSubjectByEmail(
  store: Store,
  orgId: OrgId,
  emailIndex: string,
): Promise<string | undefined> {
  const row = await store
    .selectFrom('subjects')
    .select('subject_id')
    .where('org_id', '=', orgId)
    .where('email_index', '=', emailIndex)
    .executeTakeFirst();
  return row?.subject_id;
}

export async function writeProviderKey(
  tx: Tx,
  orgId: OrgId,
  providerId: ProviderId,
  sealed: Uint8Array,
): Promise<void> {
  await tx
    .insertInto('provider_keys')
    .values({ org_id: orgId, provider_id: providerId, sealed })
    .onConflict((conflict) => conflict.columns(['org_id', 'provider_id']).doUpdateSet({ sealed }))
    .execute();
}

export async function removeProviderKey(tx: Tx, orgId: OrgId, providerId: ProviderId): Promise<void> {
  await tx
    .deleteFrom('provider_keys')
    .where('org_id', '=', orgId)
    .where('provider_id', '=', providerId)
    .execute();
}

export async function readProviderKey(
  store: Store,
  orgId: OrgId,
  providerId: ProviderId,
): Promise<Uint8Array | undefined> {
  const row = await store
    .selectFrom('provider_keys')
    .select('sealed')
    .where('org_id', '=', orgId)
    .where('provider_id', '=', providerId)
    .executeTakeFirst();
  return row?.sealed;
}

export type Sidecar = {
  readonly entryId: EntryId;
  readonly purpose: string;
  readonly subjectId: PrincipalId;
  readonly sealed: Uint8Array;
};

/** Writes the sealed content of entries in the transaction that commits them. What is there stays as it is. */
export async function insertSidecars(tx: Tx, orgId: OrgId, sidecars: readonly Sidecar[]): Promise<void> {
  if (sidecars.length === 0) return;
  await tx
    .insertInto('sidecars')
    .values(
      sidecars.map((sidecar) => ({
        org_id: orgId,
        entry_id: sidecar.entryId,
        purpose: sidecar.purpose,
        subject_id: sidecar.subjectId,
        sealed: sidecar.sealed,
      })),
    )
    .onConflict((conflict) => conflict.columns(['org_id', 'entry_id', 'purpose']).doNothing())
    .execute();
}

export async function readSidecars(
  store: Store,
  orgId: OrgId,
  entryIds: readonly string[],
): Promise<
  readonly {
    readonly entry_id: string;
    readonly purpose: string;
    readonly subject_id: string;
    readonly sealed: Uint8Array;
  }[]
> {
  if (entryIds.length === 0) return [];
  return store
    .selectFrom('sidecars')
    .select(['entry_id', 'purpose', 'subject_id', 'sealed'])
    .where('org_id', '=', orgId)
    .where('entry_id', 'in', [...entryIds])
    .execute();
}

/** Removes what is sealed for a subject, with its key: the erasure itself. */
export async function eraseSubject(tx: Tx, orgId: OrgId, subjectId: PrincipalId): Promise<void> {
  await tx.deleteFrom('sidecars').where('org_id', '=', orgId).where('subject_id', '=', subjectId).execute();
  await writeSubject(tx, orgId, { id: subjectId, sealedKey: null, sealedProfile: null, emailIndex: null });
}
