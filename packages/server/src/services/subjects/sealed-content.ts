// Owns the sealed content of calls: a key of its own for each, wrapped by the subject's key.

import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { AppError } from '@countersign/core/errors';
import { isId, type OrgId } from '@countersign/core/ids';
import { parseJson } from '@countersign/core/parse-json';
import { z } from 'zod';
import { decrypt, encrypt, type Opener } from '../../platform/sealer/sealer.ts';
import { findRecord, noRecord } from '../../stores/records.ts';
import type { Store } from '../../stores/schema.ts';
import { readSidecars, readSubject } from '../../stores/secrets.ts';
import { subjectKeyBinding } from './bindings.ts';
import { readClient } from './clients.ts';
import type { Client, Purpose } from './subject-key.ts';

export type OpenedContent = {
  readonly request?: string;
  readonly response?: string;
  readonly client?: Client;
};

const wrappedBytes = 12 + 16 + 32;

function additional(orgId: OrgId, entryId: string, purpose: string): Buffer {
  return Buffer.from(`countersign-content-v1\u0000${orgId}\u0000${entryId}\u0000${purpose}`, 'utf8');
}

/** Seals one body for one entry: wrapped key ‖ sealed body. */
export function sealContent(
  subjectKey: KeyObject,
  orgId: OrgId,
  entryId: string,
  purpose: Purpose,
  body: Uint8Array,
): Uint8Array {
  const aad = additional(orgId, entryId, purpose);
  const key = randomBytes(32);
  return new Uint8Array(
    Buffer.concat([encrypt(subjectKey, key, aad), encrypt(createSecretKey(key), body, aad)]),
  );
}

function openContent(
  subjectKey: KeyObject,
  orgId: OrgId,
  entryId: string,
  purpose: string,
  sealed: Uint8Array,
): string {
  const aad = additional(orgId, entryId, purpose);
  const key = decrypt(subjectKey, sealed.subarray(0, wrappedBytes), aad);
  const body =
    key === undefined ? undefined : decrypt(createSecretKey(key), sealed.subarray(wrappedBytes), aad);
  if (body === undefined)
    throw new AppError('storage_unavailable', 'sealed content was altered or its key is another');
  return body.toString('utf8');
}

/** What of an entry says beside which other one its client is sealed. */
const clientSchema = z.object({ content: z.object({ client: z.string().optional() }).optional() });

function clientEntry(text: string): string | undefined {
  const value: unknown = parseJson(text);
  return clientSchema.parse(value).content?.client;
}

type SealedRow = Awaited<ReturnType<typeof readSidecars>>[number];

/** One sidecar as text; undefined when its subject was erased. */
async function openRow(
  store: Store,
  orgId: OrgId,
  opener: Opener,
  row: SealedRow,
): Promise<string | undefined> {
  const subjectId = row.subject_id;
  if (!isId('user', subjectId) && !isId('service', subjectId)) return undefined;
  const subject = await readSubject(store, orgId, subjectId);
  if (subject?.sealedKey == null) return undefined;
  const key = createSecretKey(opener.open(subject.sealedKey, subjectKeyBinding(orgId, subjectId)));
  return openContent(key, orgId, row.entry_id, row.purpose, row.sealed);
}

/**
 * What is sealed for a record; undefined where nothing is, or the person was erased. `entryText` reads an entry of the
 * log by its index: the record's own says where its client is sealed.
 */
export async function readContent(
  store: Store,
  orgId: OrgId,
  opener: Opener,
  recordId: string,
  entryText: (index: number) => Promise<string>,
): Promise<OpenedContent | undefined> {
  const record = await findRecord(store, orgId, recordId);
  if (record === undefined) throw noRecord(recordId);
  // A management operation's client lies beside its own entry.
  const client = clientEntry(await entryText(record.entry_index)) ?? record.id;
  const rows = await readSidecars(store, orgId, client === record.id ? [client] : [record.id, client]);
  const opened: { request?: string; response?: string; client?: Client } = {};
  for (const row of rows) {
    const isOfClient = row.purpose === 'client';
    // INVARIANT: of another entry nothing is opened but the client that this one names.
    if (row.entry_id !== (isOfClient ? client : record.id)) continue;
    const text = await openRow(store, orgId, opener, row);
    if (text === undefined) continue;
    if (row.purpose === 'request') opened.request = text;
    if (row.purpose === 'response') opened.response = text;
    if (isOfClient) opened.client = readClient(text);
  }
  return Object.keys(opened).length === 0 ? undefined : opened;
}
