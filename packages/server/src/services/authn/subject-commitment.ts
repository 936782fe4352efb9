// Owns the commitment to an issuer's subject: what the log may say of a person without saying who it is.

import { createHmac, type KeyObject } from 'node:crypto';
import type { OrgId, TokenIssuerId } from '@countersign/core/ids';

/**
 * HMAC-SHA-256 in lower-case hex over organization, issuer and subject under the installation's index key.
 * The same person has other commitments in other organizations and from other issuers.
 */
export function subjectCommitment(
  indexKey: KeyObject,
  orgId: OrgId,
  issuerId: TokenIssuerId,
  subject: string,
): string {
  // Ids have no NUL and come first, so that the parts have one reading.
  return createHmac('sha256', indexKey)
    .update(`subject\u0000${orgId}\u0000${issuerId}\u0000${subject}`)
    .digest('hex');
}
