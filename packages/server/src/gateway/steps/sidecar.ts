// Owns the sealed copy of a call's content, where policy or the organization asks for one.

import { AppError } from '@countersign/core/errors';
import { sealContent } from '../../services/subjects/sealed-content.ts';
import type { SubjectKey } from '../../services/subjects/subject-key.ts';
import type { Sidecar } from '../../stores/secrets.ts';
import type { CallEntry } from '../entries.ts';

/**
 * The sidecar of one body; undefined unless the content mode is `sealed`. INVARIANT: content that is to be
 * sealed is sealed or the call is refused: a subject without a key refuses.
 */
export function contentSidecar(
  entry: CallEntry,
  key: SubjectKey | undefined,
  purpose: 'request' | 'response',
  body: Uint8Array,
): Sidecar | undefined {
  const { snapshot } = entry.asked.authenticated;
  if (entry.decided.content !== 'sealed' || body.length === 0) return undefined;
  const subjectId = entry.decided.actor.principalId;
  if (key === undefined)
    throw new AppError('storage_unavailable', 'the content could not be sealed: retry shortly');
  return {
    entryId: entry.id,
    purpose,
    subjectId,
    sealed: sealContent(key.object, snapshot.orgId, entry.id, purpose, body),
  };
}
