// Owns people's profiles: sealed under the person's own key, which the installation's key wraps.

import { createSecretKey, randomBytes } from 'node:crypto';
import { AppError } from '@countersign/core/errors';
import type { OrgId, PrincipalId } from '@countersign/core/ids';
import { parseJson } from '@countersign/core/parse-json';
import { z } from 'zod';
import { decrypt, encrypt, type Opener, type Sealer } from '../../platform/sealer/sealer.ts';
import type { Store, Tx } from '../../stores/schema.ts';
import { readSubject, type SealedSubject, writeSubject } from '../../stores/secrets.ts';
import { subjectKeyBinding } from './bindings.ts';
import type { Profile } from './profile.ts';

const profileSchema = z.object({ email: z.string().optional(), name: z.string().optional() });

function additional(orgId: OrgId, id: string): Buffer {
  return Buffer.from(`countersign-profile-v1\u0000${orgId}\u0000${id}`, 'utf8');
}

/** A profile from its sealed form; undefined for a subject that was erased or never had one. */
export function openProfile(
  opener: Opener,
  orgId: OrgId,
  id: string,
  subject: SealedSubject | undefined,
): Profile | undefined {
  if (subject?.sealedKey == null || subject.sealedProfile === null) return undefined;
  const key = createSecretKey(opener.open(subject.sealedKey, subjectKeyBinding(orgId, id)));
  const plain = decrypt(key, subject.sealedProfile, additional(orgId, id));
  if (plain === undefined) throw new AppError('storage_unavailable', 'a sealed profile was altered');
  const json: unknown = parseJson(plain.toString('utf8'));
  const parsed = profileSchema.parse(json);
  return {
    ...(parsed.email === undefined ? {} : { email: parsed.email }),
    ...(parsed.name === undefined ? {} : { name: parsed.name }),
  };
}

/** One subject's profile. */
export async function readProfile(
  store: Store,
  orgId: OrgId,
  opener: Opener,
  id: PrincipalId,
): Promise<Profile | undefined> {
  return openProfile(opener, orgId, id, await readSubject(store, orgId, id));
}

/** Seals and writes a profile; a new subject gets its key here. A `null` profile makes the key alone. */
export async function writeProfile(
  tx: Tx,
  orgId: OrgId,
  deps: { readonly sealer: Sealer; readonly emailIndex: (email: string) => string },
  id: PrincipalId,
  profile: Profile | null,
): Promise<void> {
  const known = await readSubject(tx, orgId, id);
  if (known !== undefined && known.sealedKey === null) {
    throw new AppError('conflict', 'this person was erased: make a new one');
  }
  const binding = subjectKeyBinding(orgId, id);
  const sealedKey = known?.sealedKey ?? deps.sealer.seal(randomBytes(32), binding);
  const key = createSecretKey(deps.sealer.open(sealedKey, binding));
  const plain = profile === null ? undefined : Buffer.from(JSON.stringify(profile), 'utf8');
  await writeSubject(tx, orgId, {
    id,
    sealedKey,
    sealedProfile: plain === undefined ? null : new Uint8Array(encrypt(key, plain, additional(orgId, id))),
    emailIndex: profile?.email === undefined ? null : deps.emailIndex(profile.email),
  });
}
