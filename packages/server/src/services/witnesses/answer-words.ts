// Owns the words for how a question to a witness ended, and what kind of ending it is.

import { assertNever } from '@countersign/core/errors';
import type { AskResult } from './ask-witness.ts';

/** Every ending but a cosignature. */
export type Refusal = Exclude<AskResult, { readonly kind: 'cosigned' }>;

/** The sentence of the log. */
export function refusalText(refusal: Refusal): string {
  switch (refusal.kind) {
    case 'rolled_back':
      return 'alert: a witness has cosigned more of this log than is there: entries are gone, as after an older copy of the store was put back; stop, and find out before more is recorded';
    case 'forked':
      return 'alert: a witness has cosigned another tree of this log: it was rewritten, or an older copy of the store was put back and has grown since; stop, and find out before more is recorded';
    case 'unknown_log':
      return 'a witness does not know this log: give its verifier key to those who run the witness';
    case 'signature_refused':
      return "a witness does not accept this log's signature: it knows the log by another key";
    case 'refused':
      return 'a witness refused a checkpoint';
    case 'unusable':
      return 'the answer of a witness is not believed';
    case 'unreachable':
      return 'a witness could not be asked: it is tried again';
    default:
      return assertNever(refusal);
  }
}

/** What varies, for the line's fields. */
export function refusalDetail(refusal: Refusal): object {
  if (refusal.kind === 'rolled_back') return { witnessSize: refusal.size };
  if (refusal.kind === 'refused') return { status: refusal.status };
  if (refusal.kind === 'unusable') return { reason: refusal.reason };
  return refusal.kind === 'unreachable' ? { error: refusal.error } : {};
}

/** True for what is about the witness itself: the next log would fare no better. */
export function isOfWitness(refusal: Refusal): boolean {
  const isBusy = refusal.kind === 'refused' && (refusal.status >= 500 || refusal.status === 429);
  return isBusy || refusal.kind === 'unreachable';
}

/** True where the witness has cosigned what this store does not have. */
export function isConflict({ kind }: Refusal): boolean {
  return kind === 'rolled_back' || kind === 'forked';
}

/** True for what no later try puts right by itself. */
export function needsPeople({ kind }: Refusal): boolean {
  return kind !== 'refused' && kind !== 'unusable';
}
