// Owns which dialect a client speaks whose path is no endpoint's, so that it can read why it is refused.

import type { Dialect } from './endpoints.ts';

const anthropicPath = /^(?:\/anthropic|(?:\/providers\/[^/]*)?\/v1\/messages)(?:\/|$)/;

/**
 * By the path where it is of one dialect alone, such as `/v1/messages/batches`; else by the header that Anthropic's SDKs
 * always send, and OpenAI's never. `path` is raw, without the query.
 */
export function spokenDialect(path: string, hasAnthropicVersion: boolean): Dialect {
  if (path.startsWith('/openai/')) return 'openai';
  return hasAnthropicVersion || anthropicPath.test(path) ? 'anthropic' : 'openai';
}
