// Owns the sealed content of calls: a key of its own for each, wrapped by the subject's key.

import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { AppError } from '@countersign/core/errors';
import { isId, type OrgId } from '@countersign/core/ids';
import { decrypt, encrypt, type Opener } from '../../platform/sealer/sealer.ts';
import { findRecord } from '../../stores/records.ts';
import type { Store } from '../../stores/schema.ts';
import { readSidecars, readSubject } from '../../stores/secrets.ts';
import { subjectKeyBinding } from './bindings.ts';

export type OpenedContent = { readonly request?: string; readonly response?: string };

const wrappedBytes = 12 + 16 + 32;

function additional(orgId: OrgId, entryId: string, purpose: string): Buffer {
  return Buffer.from(`countersign-content-v1\u0000${orgId}\u0000${entryId}\u0000${purpose}`, 'utf8');
}

/** Seals one body for one entry: wrapped key ‖ sealed body. */
export function sealContent(
  subjectKey: KeyObject,
  orgId: OrgId,
  entryId: string,
  purpose: 'request' | 'response',
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

/** What is sealed for a record; undefined where nothing is, or the person was erased. */
export async function readContent(
  store: Store,
  orgId: OrgId,
  opener: Opener,
  recordId: string,
): Promise<OpenedContent | undefined> {
  const record = await findRecord(store, orgId, recordId);
  if (record === undefined)
    throw new AppError(
      'not_found',
      `there is no record \`${recordId}\`: list those that you may see with \`GET /records\``,
    );
  const sidecars = await readSidecars(store, orgId, [record.id]);
  const opened: { request?: string; response?: string } = {};
  for (const sidecar of sidecars) {
    const subjectId = sidecar.subject_id;
    if (!isId('user', subjectId) && !isId('service', subjectId)) continue;
    const subject = await readSubject(store, orgId, subjectId);
    if (subject?.sealedKey == null) continue;
    const key = createSecretKey(opener.open(subject.sealedKey, subjectKeyBinding(orgId, subjectId)));
    const text = openContent(key, orgId, sidecar.entry_id, sidecar.purpose, sidecar.sealed);
    if (sidecar.purpose === 'request') opened.request = text;
    if (sidecar.purpose === 'response') opened.response = text;
  }
  return sidecars.length === 0 ? undefined : opened;
}
