// Owns the reading of snapshots from the store: everything at a version, and the steps since.

import { decodeChange } from '@countersign/core/directory/decode-change';
import type { Change } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import {
  type EntryId,
  isId,
  type OrgId,
  type PrincipalId,
  type ProviderId,
  type WorkspaceId,
} from '@countersign/core/ids';
import { decodeEntry } from '@countersign/core/ledger/entry';
import { decodeBundle } from '@countersign/core/ledger/tile';
import type { SpentRow } from '@countersign/core/metering/spent';
import { parseJson } from '@countersign/core/parse-json';
import { readBundles, versionsAfter } from '../../stores/entries.ts';
import { readHead, readProgress } from '../../stores/heads.ts';
import { findIssuer, findOrganizationOfKey, loadChunk } from '../../stores/objects.ts';
import { readPolicy } from '../../stores/policies.ts';
import { ownedProviderObjects } from '../../stores/provider-objects.ts';
import { listClosed } from '../../stores/records.ts';
import type { Store } from '../../stores/schema.ts';
import { readProviderKey, readSubject } from '../../stores/secrets.ts';
import { readUsage, spentRowOf } from '../../stores/usage.ts';
import type { Loaded } from './org-snapshot.ts';
import type { Step } from './snapshots.ts';

export type SpentReply = {
  readonly rows: readonly SpentRow[];
  /** The rows hold every outcome below this place of the log, and no other. */
  readonly projected: number;
  /** Of the `owed`, those whose outcome is in the rows. */
  readonly closed: readonly EntryId[];
};

/** What the main thread looks up beside snapshots. */
export type ReadCalls = {
  organizationOfKey: { request: string; reply: OrgId | undefined };
  issuer: { request: readonly string[]; reply: readonly { readonly orgId: OrgId; readonly id: string }[] };
  since: { request: { readonly orgId: OrgId; readonly version: number }; reply: readonly Step[] };
  providerKey: { request: { readonly orgId: OrgId; readonly id: ProviderId }; reply: Uint8Array | undefined };
  /** Usage by day since `fromDay`, in the meter's dimensions, and how far it goes: all of one moment. */
  spent: {
    request: { readonly orgId: OrgId; readonly fromDay: number; readonly owed: readonly EntryId[] };
    reply: SpentReply;
  };
  ownedObject: {
    request: {
      readonly orgId: OrgId;
      readonly ownerId: PrincipalId;
      readonly workspaceId: WorkspaceId;
      readonly externalId: string;
    };
    reply: readonly { readonly providerId: string; readonly modelId: string; readonly kind: string }[];
  };
  subjectKey: { request: { readonly orgId: OrgId; readonly id: PrincipalId }; reply: Uint8Array | undefined };
};

const chunkSize = 2_000;

async function loadObjects(store: Store, orgId: OrgId): Promise<readonly Change[]> {
  const changes: Change[] = [];
  let after: { readonly kind: string; readonly id: string } | undefined;
  for (;;) {
    const chunk = await loadChunk(store, orgId, after, chunkSize);
    for (const row of chunk) {
      const state: unknown = parseJson(row.state);
      changes.push(decodeChange({ kind: row.kind, id: row.id, state }));
    }
    after = chunk.at(-1);
    if (chunk.length < chunkSize) return changes;
  }
}

/**
 * Everything that an organization has. A change that commits during the reading is caught: the version is read
 * before and after, and the reading begins again if it moved. Throws `overloaded` if it never stands still.
 */
export async function loadOrganization(store: Store, orgId: OrgId): Promise<Loaded | undefined> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const head = await readHead(store, orgId);
    if (head === undefined || head.version === 0) return undefined;
    const changes = await loadObjects(store, orgId);
    const after = await readHead(store, orgId);
    if (after?.version !== head.version) continue;
    const state = changes.find((change) => change.kind === 'policy')?.state;
    const version = state !== undefined && state !== null && 'version' in state ? state.version : 0;
    const policy = await readPolicy(store, orgId, version);
    if (policy === undefined) throw new AppError('internal', 'the organization has no policy');
    const { hash, text, compiled } = policy;
    return { version: head.version, origin: head.origin, changes, policy: { version, hash, text, compiled } };
  }
  throw new AppError('overloaded', 'the organization changes too fast to be loaded: retry shortly');
}

async function changesAt(store: Store, orgId: OrgId, index: number): Promise<readonly Change[]> {
  for (const bundle of await readBundles(store, orgId, index, index + 1, 1)) {
    const bytes = decodeBundle(bundle.bytes).entries[index - bundle.firstIndex];
    if (bytes === undefined) continue;
    const decoded = decodeEntry(Buffer.from(bytes).toString('utf8'));
    if (!decoded.ok || !('change' in decoded.entry)) break;
    return (decoded.entry.change ?? []).map(decodeChange);
  }
  throw new AppError('internal', `the ledger's entry ${index} is not the change that it should be`);
}

/** The steps after `version`, read from the ledger itself, 500 at most. */
export async function stepsSince(store: Store, orgId: OrgId, version: number): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (const row of await versionsAfter(store, orgId, version, 500)) {
    const changes = await changesAt(store, orgId, row.entry_index);
    const hasPolicy = changes.some(({ kind }) => kind === 'policy');
    const policy = hasPolicy ? await readPolicy(store, orgId, row.version) : undefined;
    steps.push({ orgId, version: row.version, changes, policy });
  }
  return steps;
}

/** Far enough ahead to be after any day that is recorded. */
const lastDay = 10_000_000;

/** INVARIANT: rows and place come from one transaction: the projector writes both in one. */
function readSpent(store: Store, { orgId, fromDay, owed }: ReadCalls['spent']['request']) {
  return store
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx): Promise<SpentReply> => {
      const head = await readProgress(tx, orgId);
      const usage = await readUsage(tx, orgId, { fromDay, toDay: lastDay });
      const closed = await listClosed(tx, orgId, owed);
      return {
        rows: usage.flatMap(spentRowOf),
        projected: head?.projected ?? 0,
        closed: owed.filter((id) => closed.has(id)),
      };
    });
}

/** The look-ups of `ReadCalls`, over the reader's connection. */
export function readHandlers(store: Store) {
  return {
    organizationOfKey: async (keyId: string): Promise<OrgId | undefined> => {
      const orgId = await findOrganizationOfKey(store, keyId);
      return orgId !== undefined && isId('org', orgId) ? orgId : undefined;
    },
    issuer: async (uniqueKeys: readonly string[]) => {
      const rows = await findIssuer(store, uniqueKeys);
      return rows.flatMap(({ org_id: orgId, id }) => (isId('org', orgId) ? [{ orgId, id }] : []));
    },
    since: (request: ReadCalls['since']['request']) => stepsSince(store, request.orgId, request.version),
    providerKey: (request: ReadCalls['providerKey']['request']) =>
      readProviderKey(store, request.orgId, request.id),
    spent: (request: ReadCalls['spent']['request']) => readSpent(store, request),
    ownedObject: async (request: ReadCalls['ownedObject']['request']) => {
      const { orgId, ownerId, workspaceId, externalId } = request;
      const rows = await ownedProviderObjects(store, orgId, ownerId, workspaceId, externalId);
      return rows.map((row) => ({ providerId: row.provider_id, modelId: row.model_id, kind: row.kind }));
    },
    subjectKey: async (request: ReadCalls['subjectKey']['request']) =>
      (await readSubject(store, request.orgId, request.id))?.sealedKey ?? undefined,
  };
}
