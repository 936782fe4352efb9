// Owns the writing of what a command keeps out of the record: profiles, provider keys, policy texts, erasures.

import { assertNever } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import type { Sealer } from '../platform/sealer/sealer.ts';
import { providerKeyBinding } from '../services/subjects/bindings.ts';
import { writeProfile } from '../services/subjects/profiles.ts';
import { removeErasureRequest, writeErasureRequest } from '../stores/bookkeeping.ts';
import { insertPolicy } from '../stores/policies.ts';
import type { Tx } from '../stores/schema.ts';
import { eraseSubject, removeProviderKey, writeProviderKey } from '../stores/secrets.ts';
import type { CommandContext, SecretWrite } from './command.ts';

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
