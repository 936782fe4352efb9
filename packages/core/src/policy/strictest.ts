// Owns how two decisions over one call become one.

import type { Decision } from './types.ts';

/** A denial stands; then what needs approval; two permits are the first one's. */
export function strictest(first: Decision, second: Decision): Decision {
  if (first.outcome === 'deny' || second.outcome === 'allow') return first;
  return first.outcome === 'allow' || second.outcome === 'deny' ? second : first;
}
