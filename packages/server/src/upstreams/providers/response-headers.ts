// Owns which of a provider's response headers reach the client.

import { isText } from '../../platform/http1/characters.ts';
import { hasPrefix } from './has-prefix.ts';
import { namedByConnection } from './named-by-connection.ts';

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

const limitPrefix = 'x-ratelimit-';
const passedPrefixes = ['anthropic-', 'openai-', limitPrefix, 'x-codex-'] as const;

/** Of the vendors' own headers, those that name the account whose key the gateway holds. */
const namesAccount: ReadonlySet<string> = new Set([
  'anthropic-organization-id',
  'anthropic-workspace-id',
  'openai-organization',
  'openai-project',
]);

function isPassed(name: string): boolean {
  if (passed.has(name)) return true;
  return hasPrefix(name, passedPrefixes) && !namesAccount.has(name);
}

/** True if the gateway tells of limits of its own: then the provider's, under the same names, would contradict them. */
function tellsLimits(own: readonly string[]): boolean {
  for (let at = 0; at < own.length; at += 2) if (own[at]?.startsWith(limitPrefix) === true) return true;
  return false;
}

/**
 * The flat header list for the client: the provider's (`flat`: lower-case names, as `onHeaders` gives them), then the
 * gateway's `own`. The provider's `x-request-id` becomes `x-upstream-request-id`, since `x-request-id` is the gateway's own;
 * Anthropic's `request-id` passes as it is: its SDK reads it. Values that are not one plain line are left out.
 */
export function downstreamHeaders(flat: readonly string[], own: readonly string[]): readonly string[] {
  const out: string[] = [];
  const oneHop = namedByConnection(flat);
  const hasLimits = tellsLimits(own);
  let hasType = false;
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const given = flat[at] ?? '';
    const name = given === 'x-request-id' ? 'x-upstream-request-id' : given;
    const isOurs = given === 'x-request-id';
    const value = flat[at + 1] ?? '';
    if ((!isOurs && !isPassed(name)) || oneHop.has(given) || !isText(value)) continue;
    if (hasLimits && name.startsWith(limitPrefix)) continue;
    if (name === 'content-type') {
      if (hasType) continue;
      hasType = true;
    }
    out.push(name, value);
  }
  out.push(...own);
  return out;
}
