// Owns the events that records can have: the operations that are recorded, and the kinds of alerts.

import { unaskedOperations } from '@countersign/contract/operation-effects';
import { operations } from '@countersign/contract/operations';
import { AppError } from '@countersign/core/errors';
import { alertKinds } from '@countersign/core/ledger/entry-fields';
import { suggest } from '../platform/config/suggest.ts';

/** Throws AppError `invalid_request` for an event that no record has: an empty list would say something false. */
export function needEvent(event: string | undefined): void {
  if (event === undefined) return;
  const known = [...operations.map(({ id }) => id), ...unaskedOperations, ...alertKinds];
  if (known.includes(event)) return;
  const near = suggest(event, known);
  throw new AppError(
    'invalid_request',
    `\`event\` takes an operation, such as \`key.create\`, or one of ${alertKinds.join(', ')}, and \`${event.slice(0, 64)}\` is none${near === undefined ? '' : `: did you mean \`${near}\`?`}`,
  );
}
