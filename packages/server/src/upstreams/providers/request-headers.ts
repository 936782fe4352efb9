// Owns which headers a provider is sent: what of the client's belongs to the wire, and the provider's own key.

import type { EndpointId } from '@countersign/core/dialects/endpoints';
import type { Provider } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { isText } from '../../platform/http1/characters.ts';
import { hasPrefix } from './has-prefix.ts';
import { namedByConnection } from './named-by-connection.ts';

/**
 * INVARIANT: a list of what passes, never of what is stripped. A header that we do not know may be a credential,
 * a forwarded identity or framing to somebody behind us; so credentials, cookies, `forwarded`, `x-forwarded-*`,
 * `via`, hop-by-hop and framing headers, and `openai-organization`/`openai-project` (they choose whose account
 * of the gateway's key pays) are not here. `content-encoding` is not: bodies are sent as they were parsed.
 */
const passed: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'content-type',
  'user-agent',
  'idempotency-key',
  'openai-beta',
  // The client's own name for a call, which OpenAI logs; the gateway's `x-request-id` is another.
  'x-client-request-id',
  // What the coding clients tell their vendor of a session; labels, no credentials.
  'x-app',
  'originator',
  'session_id',
  'conversation_id',
]);

const passedPrefixes = ['anthropic-', 'x-stainless-', 'x-claude-code-', 'x-codex-'] as const;

/** Of Anthropic's own headers, those that choose whose account of the gateway's key pays, as `openai-project` does. */
const choosesAccount: ReadonlySet<string> = new Set(['anthropic-workspace-id', 'anthropic-user-profile-id']);

/** Sent once: a second one could be read by the provider where the gateway read the first. */
const single: ReadonlySet<string> = new Set([
  'content-type',
  'accept',
  'anthropic-version',
  'idempotency-key',
]);

/** The API version that Anthropic's documents name; the API refuses a request without one. */
const anthropicVersion = '2023-06-01';

/** True for a header of the client's that a provider is sent, by its name in lower case. */
export function isPassedHeader(name: string): boolean {
  if (passed.has(name)) return true;
  return hasPrefix(name, passedPrefixes) && !choosesAccount.has(name);
}

/** Anthropic takes `x-api-key`, but for its OpenAI-compatible endpoints, which take a bearer token. */
function isBearer(kind: Provider['kind'], endpoint: EndpointId): boolean {
  return kind !== 'anthropic' || endpoint === 'chat';
}

function addCredential(
  flat: string[],
  kind: Provider['kind'],
  endpoint: EndpointId,
  providerKey: string | undefined,
): void {
  if (providerKey === undefined) return;
  if (providerKey === '' || !isText(providerKey)) {
    throw new AppError('internal', 'the key of this provider cannot be sent in a header: store it again');
  }
  if (isBearer(kind, endpoint)) flat.push('authorization', `Bearer ${providerKey}`);
  else flat.push('x-api-key', providerKey);
}

/**
 * The flat header list of an upstream request. `inbound` is the client's as received (name, value, …; Node's
 * `rawHeaders`). `contentLength` is the body's in bytes, `undefined` without a body. `host`, `connection` and the framing
 * are written by who writes the head. Throws `AppError('internal')` for a stored key that no header can carry.
 */
export function upstreamHeaders(
  kind: Provider['kind'],
  endpoint: EndpointId,
  inbound: readonly string[],
  providerKey: string | undefined,
  contentLength: number | undefined,
): readonly string[] {
  const flat: string[] = [];
  const oneHop = namedByConnection(inbound);
  const seen: string[] = [];
  const isRead = endpoint !== 'passthrough';
  for (let at = 0; at + 1 < inbound.length; at += 2) {
    const name = (inbound[at] ?? '').toLowerCase();
    if (!isPassedHeader(name) || oneHop.has(name)) continue;
    // A body that was read is sent as what it was read as.
    if (isRead && name === 'content-type') continue;
    const value = inbound[at + 1] ?? '';
    if (!isText(value)) continue;
    if (single.has(name)) {
      if (seen.includes(name)) continue;
      seen.push(name);
    }
    flat.push(name, value);
  }
  const isAnthropic = !isBearer(kind, endpoint) || endpoint === 'messages' || endpoint === 'count_tokens';
  if (isAnthropic && !seen.includes('anthropic-version')) flat.push('anthropic-version', anthropicVersion);
  // P12: bodies are read and re-framed as they come; nothing here decodes.
  flat.push('accept-encoding', 'identity');
  addCredential(flat, kind, endpoint, providerKey);
  if (isRead && contentLength !== undefined && contentLength > 0)
    flat.push('content-type', 'application/json');
  return flat;
}
