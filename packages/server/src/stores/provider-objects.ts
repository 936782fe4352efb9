// Owns whose the ids are that providers gave out: responses, conversations, files.

import type { EntryId, ModelId, OrgId, PrincipalId, ProviderId, WorkspaceId } from '@countersign/core/ids';
import type { Store, Tx } from './schema.ts';

export type ProviderObject = {
  readonly providerId: ProviderId;
  /** Null for what an endpoint made that was passed through without a model. */
  readonly modelId: ModelId | null;
  readonly externalId: string;
  readonly kind: string;
  readonly ownerId: PrincipalId;
  readonly workspaceId: WorkspaceId;
  readonly entryId: EntryId;
};

/** Notes an id with its owner. The first owner stays: a provider that repeats an id moves nothing. */
export async function insertProviderObject(
  tx: Tx,
  orgId: OrgId,
  object: ProviderObject,
  nowMs: number,
): Promise<void> {
  await tx
    .insertInto('provider_objects')
    .values({
      org_id: orgId,
      provider_id: object.providerId,
      // The column was made for ids of models; nothing has an empty one.
      model_id: object.modelId ?? '',
      external_id: object.externalId,
      kind: object.kind,
      owner_id: object.ownerId,
      workspace_id: object.workspaceId,
      entry_id: object.entryId,
      created_at: nowMs,
    })
    .onConflict((conflict) => conflict.columns(['org_id', 'provider_id', 'external_id']).doNothing())
    .execute();
}

/** Providers of one organization that gave out the same id, at most. */
const mostProviders = 16;

/** At which providers this principal's recorded calls in this workspace made the id, what it is, and with which model. */
export async function ownedProviderObjects(
  store: Store,
  orgId: OrgId,
  ownerId: PrincipalId,
  workspaceId: WorkspaceId,
  externalId: string,
): Promise<readonly { readonly provider_id: string; readonly model_id: string; readonly kind: string }[]> {
  return store
    .selectFrom('provider_objects')
    .select(['provider_id', 'model_id', 'kind'])
    .where('org_id', '=', orgId)
    .where('external_id', '=', externalId)
    .where('owner_id', '=', ownerId)
    .where('workspace_id', '=', workspaceId)
    .limit(mostProviders)
    .execute();
}
