// Owns how two decisions over one call become one.

import { unite } from './annotations.ts';
import type { Decision } from './types.ts';

/** A permit. */
export type Allow = Extract<Decision, { readonly outcome: 'allow' }>;

/** Two permits together: what either of them asks for applies; if they ask for different models, neither holds. */
function both(first: Allow, second: Allow): Decision {
  const policyIds = [...new Set([...first.policyIds, ...second.policyIds])];
  const errors = [...first.errors, ...second.errors];
  const obligations = unite([first, second]);
  return obligations === 'conflict'
    ? { outcome: 'deny', reason: 'obligation_conflict', policyIds, errors }
    : { outcome: 'allow', policyIds, obligations, errors };
}

/** A denial stands; then what needs approval; two permits apply together. */
export function strictest(first: Decision, second: Decision): Decision {
  if (first.outcome === 'deny') return first;
  if (second.outcome === 'deny') return second;
  if (first.outcome === 'allow') return second.outcome === 'allow' ? both(first, second) : second;
  return first;
}

/**
 * A permit that names another model, together with that model's own permit: what either asks for applies,
 * under the model's name. What the second one names is not followed.
 */
export function substituted(first: Allow, again: Allow, model: string): Decision {
  const joined = both(
    { ...first, obligations: { ...first.obligations, model: undefined } },
    { ...again, obligations: { ...again.obligations, model: undefined } },
  );
  if (joined.outcome !== 'allow') return joined;
  return { ...joined, policyIds: again.policyIds, obligations: { ...joined.obligations, model } };
}
