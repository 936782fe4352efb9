// Owns the refusal of a call whose own record no entry can hold: with a record that one can.

import { withoutPrompt } from '@countersign/core/directory/context';
import type { AppError } from '@countersign/core/errors';
import { fragment } from '@countersign/core/ledger/canonical';
import { briefActorFragment } from '../../services/callers/resolve.ts';
import { type Admission, type Asked, type Decided, noObligations } from '../admit.ts';
import type { CallEntry } from '../entries.ts';
import type { Classified } from './classify.ts';
import { denied } from './denial.ts';
import { selectTarget } from './select-model.ts';

type Refused = Extract<Admission, { readonly kind: 'refused' }>;

/** As if the prompt had been empty. */
function nothingFound({ classification, classifiers, isOpened }: Classified): Classified {
  const { detector } = classification;
  const nothing = { labels: [], counts: {}, detector };
  return {
    classification: { ...nothing, opaque: false, unexamined: false },
    entry: fragment(nothing),
    classifiers,
    isOpened,
  };
}

/**
 * The refusal of a call whose record is too long: without the rules that applied, without what the body named beside
 * its model, and without what was found or claimed. Its target is the one that was asked for, whatever an obligation
 * put in its place: replay can tell that again, and nothing else of it.
 */
export function refuseUnrecordable({ decided }: Admission, asked: Asked, error: AppError): Refused {
  const reason = 'record_too_large';
  const { snapshot } = asked.authenticated;
  const found = selectTarget(snapshot, decided.actor, asked.call.endpoint, asked.request.model, asked.owned);
  const bare: Decided = {
    ...decided,
    selected: 'error' in found ? undefined : found,
    decision: denied(reason),
    reason,
    obligations: noObligations,
    worst: undefined,
    context: withoutPrompt(decided.context),
    classified: nothingFound(decided.classified),
  };
  return { kind: 'refused', decided: bare, error, isPolicy: false };
}

/** The entry of such a refusal where even that is too long: some of the actor's teams are counted, and no network is named. */
export function briefEntry(entry: CallEntry): CallEntry {
  const { asked, decided, atMs } = entry;
  return {
    ...entry,
    decided: { ...decided, context: { ...decided.context, network: [] } },
    actor: briefActorFragment(asked.authenticated.snapshot, decided.actor, atMs),
  };
}
