// Owns how a denial is put: as a decision of ours where policy was not asked, and as the sentence for the caller.

import type { Part } from '@countersign/core/dialects/request-types';
import { AppError } from '@countersign/core/errors';
import type { Decision } from '@countersign/core/policy/types';

/** A denial whose only rule is its reason. */
export const denied = (reason: string): Decision & { readonly outcome: 'deny' } => ({
  outcome: 'deny',
  reason: 'no_permit',
  policyIds: [reason],
  errors: [],
});

/** The most rules that a caller is named; the record names more. */
const mostNamed = 10;

function namesOf(ids: readonly string[]): string {
  const names = ids
    .slice(0, mostNamed)
    .map((id) => `\`${id}\``)
    .join(', ');
  return ids.length > mostNamed ? `${names} and ${ids.length - mostNamed} more` : names;
}

/** What was found in a prompt, for whoever sent it: its labels, and what of it nobody could read. */
export function foundIn(labels: readonly string[], parts: readonly Part[]): string {
  if (labels.length === 0) return '';
  const unread = new Set(parts.flatMap((part) => (part.kind === 'opaque' ? [part.reason] : [])));
  unread.delete('sealed');
  const kinds = [...unread].slice(0, mostNamed).join(', ').replaceAll('_', ' ');
  const named = labels.map((label) =>
    label === 'opaque' && kinds !== '' ? `\`opaque\` (${kinds})` : `\`${label}\``,
  );
  return `, in which was found ${named.slice(0, mostNamed).join(', ')}`;
}

/** The sentence of a denial: which rules, by their ids, and nothing of what they say. `found` is of `foundIn`. */
export function denialError(
  decision: Exclude<Decision, { readonly outcome: 'allow' }>,
  about: string,
  found: string,
): AppError {
  const isOne = decision.policyIds.length === 1;
  const rules = `${isOne ? 'rule' : 'rules'} ${namesOf(decision.policyIds)}`;
  if (decision.outcome === 'requestable') {
    return new AppError('approval_required', `${about} needs an approval (${rules}): ask your administrator`);
  }
  const why = {
    forbid: `${rules} ${isOne ? 'forbids' : 'forbid'} ${about}${found}`,
    no_permit: `no rule permits ${about}`,
    error: `${rules} could not be evaluated, and so ${isOne ? 'denies' : 'deny'}`,
    obligation_conflict: `${rules} ask for different models`,
  }[decision.reason];
  return new AppError('policy_denied', `${why}: ask your administrator, naming the record`);
}
