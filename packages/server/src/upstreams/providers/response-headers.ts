// Owns which of a provider's response headers reach the client.

import { isPlainValue, namedByConnection } from './header-values.ts';

/**
 * INVARIANT: a list of what passes. Framing is ours (P12), cookies and `alt-svc` would bind the client to the
 * provider's host, `server` and the like tell of a host that the client does not talk to.
 */
const passed: ReadonlySet<string> = new Set([
  'content-type',
  'request-id',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
]);

const passedPrefixes = ['anthropic-', 'openai-', 'x-ratelimit-', 'x-codex-'] as const;

function isPassed(name: string): boolean {
  return passed.has(name) || passedPrefixes.some((prefix) => name.startsWith(prefix));
}

/**
 * The flat header list for the client, out of the provider's (lower-case names, as `onHeaders` gives them).
 * The provider's `x-request-id` becomes `x-upstream-request-id`, since `x-request-id` is the gateway's own;
 * Anthropic's `request-id` passes as it is: its SDK reads it. Values that are not one plain line are left out.
 */
export function downstreamHeaders(flat: readonly string[]): readonly string[] {
  const out: string[] = [];
  const oneHop = namedByConnection(flat);
  let hasType = false;
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const given = flat[at] ?? '';
    const name = given === 'x-request-id' ? 'x-upstream-request-id' : given;
    const isOurs = given === 'x-request-id';
    const value = flat[at + 1] ?? '';
    if ((!isOurs && !isPassed(name)) || oneHop.has(given) || !isPlainValue(value)) continue;
    if (name === 'content-type') {
      if (hasType) continue;
      hasType = true;
    }
    out.push(name, value);
  }
  return out;
}
