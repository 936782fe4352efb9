// Owns the writing of what a command keeps out of the record: profiles, provider keys, clients, policy texts, erasures.

import { createSecretKey } from 'node:crypto';
import { assertNever } from '@countersign/core/errors';
import type { OrgId, PrincipalId } from '@countersign/core/ids';
import type { Opener, Sealer } from '../platform/sealer/sealer.ts';
import { providerKeyBinding, subjectKeyBinding } from '../services/subjects/bindings.ts';
import { clientBytes } from '../services/subjects/clients.ts';
import { writeProfile } from '../services/subjects/profiles.ts';
import { sealContent } from '../services/subjects/sealed-content.ts';
import { removeErasureRequest, writeErasureRequest } from '../stores/bookkeeping.ts';
import { findObject } from '../stores/objects.ts';
import { insertPolicy } from '../stores/policies.ts';
import type { Tx } from '../stores/schema.ts';
import {
  eraseSubject,
  insertSidecars,
  readSubject,
  removeProviderKey,
  writeProviderKey,
} from '../stores/secrets.ts';
import type { CommandContext, SecretWrite } from './command.ts';

/** Seals from where a command came under the key of who gave it. Who has no key any more, as after an erasure, has no client. */
async function writeClient(
  tx: Tx,
  orgId: OrgId,
  opener: Opener,
  subjectId: PrincipalId,
  { entryId, client }: Extract<SecretWrite, { readonly kind: 'client' }>,
): Promise<void> {
  const organization = await findObject(tx, orgId, 'organization', orgId);
  if (organization?.state.clientMode === 'none') return;
  const subject = await readSubject(tx, orgId, subjectId);
  if (subject?.sealedKey == null) return;
  const key = createSecretKey(opener.open(subject.sealedKey, subjectKeyBinding(orgId, subjectId)));
  const sealed = sealContent(key, orgId, entryId, 'client', clientBytes(client));
  await insertSidecars(tx, orgId, [{ entryId, purpose: 'client', subjectId, sealed }]);
}

/** Writes one secret in the command's own transaction. */
export async function writeSecret(
  deps: { readonly sealer: Sealer; readonly emailIndex: (email: string) => string },
  tx: Tx,
  orgId: OrgId,
  secret: SecretWrite,
  ctx: Pick<CommandContext, 'actor' | 'nowMs'>,
): Promise<void> {
  switch (secret.kind) {
    case 'subject':
      return writeProfile(tx, orgId, deps, secret.id, secret.profile);
    case 'provider_key': {
      if (secret.key === null) return removeProviderKey(tx, orgId, secret.id);
      const sealed = deps.sealer.seal(Buffer.from(secret.key, 'utf8'), providerKeyBinding(orgId, secret.id));
      return writeProviderKey(tx, orgId, secret.id, sealed);
    }
    case 'policy_text':
      return insertPolicy(tx, orgId, secret);
    case 'client':
      return writeClient(tx, orgId, deps.sealer, ctx.actor.principalId, secret);
    case 'erasure_request':
      return writeErasureRequest(tx, orgId, {
        userId: secret.id,
        requestedBy: ctx.actor.principalId,
        reason: secret.reason,
        nowMs: ctx.nowMs,
      });
    case 'erase_subject':
      await eraseSubject(tx, orgId, secret.id);
      return removeErasureRequest(tx, orgId, secret.id);
    default:
      return assertNever(secret);
  }
}
