// Owns the events that records can have: the operations that are recorded, and the kinds of alerts.

import { operations } from '@countersign/contract/operations';
import { AppError } from '@countersign/core/errors';
import { alertKinds } from '@countersign/core/ledger/entry-fields';
import { suggest } from '../platform/config/suggest.ts';
import { userProvision } from './provision-user.ts';
import { keyRecover } from './recover-owner.ts';

/** Operations that no request names: the organization's first entry, people made by their tokens, a key made beside no server. */
const unasked = ['organization.init', userProvision.id, keyRecover.id] as const;

/** Throws AppError `invalid_request` for an event that no record has: an empty list would say something false. */
export function needEvent(event: string | undefined): void {
  if (event === undefined) return;
  const known = [...operations.map(({ id }) => id), ...unasked, ...alertKinds];
  if (known.includes(event)) return;
  const near = suggest(event, known);
  throw new AppError(
    'invalid_request',
    `\`event\` takes an operation, such as \`key.create\`, or one of ${alertKinds.join(', ')}, and \`${event.slice(0, 64)}\` is none${near === undefined ? '' : `: did you mean \`${near}\`?`}`,
  );
}
