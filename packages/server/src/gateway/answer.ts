// Owns how whatever goes wrong in a call is answered: a refusal of ours, named by its record where it has one.

import { AppError } from '@countersign/core/errors';
import type { InboundCall, Reply } from './call.ts';
import type { GatewayDeps } from './deps.ts';
import type { CallEntry } from './entries.ts';
import { RecordedRefusal } from './steps/record-intent.ts';

/** Names the request, its record and the policy version that decided it. */
export function recordHeaders(entry: CallEntry): string[] {
  const { asked } = entry;
  return [
    'x-request-id',
    asked.call.requestId,
    'x-countersign-record',
    entry.id,
    'x-countersign-policy',
    String(entry.decided.policy.version),
  ];
}

/** Answers what the steps of a call threw. An unknown error gives nothing away and is logged. */
export function answerThrown(
  deps: Pick<GatewayDeps, 'onError' | 'metrics' | 'noteUnrecorded'>,
  call: InboundCall,
  reply: Reply,
  thrown: unknown,
): void {
  const recorded = thrown instanceof RecordedRefusal ? thrown : undefined;
  const error = recorded?.error ?? thrown;
  const known =
    error instanceof AppError
      ? error
      : new AppError('internal', 'something went wrong here: name the request id when you ask');
  if (
    known.code === 'internal' ||
    known.code === 'ledger_unavailable' ||
    known.code === 'storage_unavailable'
  ) {
    deps.onError(error, call.requestId);
  } else if (recorded === undefined && known.code !== 'authentication_failed') {
    deps.noteUnrecorded(call.requestId, known.code);
  }
  deps.metrics.refused(known);
  const headers = recorded === undefined ? ['x-request-id', call.requestId] : recordHeaders(recorded.entry);
  if (reply.hasHead()) reply.fail(known);
  else reply.refuse(known, headers);
}
