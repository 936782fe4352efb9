// Owns what a client says of itself: labels for policy and the record, never identity.

import type { InferenceRequest } from '@countersign/core/dialects/request-types';
import { quote, utf8Length } from '@countersign/core/ledger/canonical';
import { parseJson } from '@countersign/core/parse-json';
import type { RequestContext } from '@countersign/core/policy/types';
import type { InboundCall } from '../call.ts';
import { plainTag, plainWord } from './plain-words.ts';

/** Our own header for tags, and those by which clients of other gateways send theirs. */
const tagHeaders = ['x-countersign-tags', 'x-litellm-tags', 'cf-aig-metadata', 'x-portkey-metadata'] as const;

const maxTags = 32;
/** What all tags may take in the record: what a client says of itself must not keep its call from being recorded. */
const maxTagBytes = 4_096;

/** A JSON object's members as `name=value`, or a comma-separated list as it is. */
function readTags(text: string): readonly string[] {
  if (text.startsWith('{')) {
    try {
      const value: unknown = parseJson(text);
      if (typeof value !== 'object' || value === null) return [];
      return Object.entries(value).flatMap(([name, member]) =>
        typeof member === 'string' || typeof member === 'number' ? [`${name}=${member}`] : [],
      );
    } catch {
      return [];
    }
  }
  return text.split(',').map((tag) => tag.trim());
}

const taskHeader = 'x-countersign-task';
const sessionHeader = 'x-claude-code-session-id';

/** What a coding client says of its session and of the agent that it runs: one tag each, under a name of its own. */
const ownHeaders = [
  [sessionHeader, 'session'],
  ['x-claude-code-agent-id', 'agent'],
  ['x-claude-code-parent-agent-id', 'parent-agent'],
] as const;

const nothing: RequestContext['claimed'] = { tags: [] };

/** Most calls: no header and no member that a label could come from. */
function saysNothing(call: InboundCall, { claimed }: InferenceRequest): boolean {
  if (claimed.metadata.size > 0 || claimedUser(claimed) !== undefined) return false;
  for (const name of tagHeaders) if (call.header(name) !== undefined) return false;
  if (call.header(taskHeader) !== undefined) return false;
  for (const [name] of ownHeaders) if (call.header(name) !== undefined) return false;
  return true;
}

/** For whom the client says that it asks, by whichever of the members in which clients say it. */
function claimedUser({
  user,
  safetyIdentifier,
  metadataUserId,
}: InferenceRequest['claimed']): string | undefined {
  return user ?? safetyIdentifier ?? metadataUserId;
}

/**
 * What policy sees as `context.claimed`. Bounded: 32 tags, and 4,096 bytes of all as they are recorded; what goes
 * beyond is left out, as labels may be. The context is recorded, so words that are not plain tokens are commitments, and
 * `user` always is one: what clients say there is often a person's address. The same text has the same commitment within
 * an organization.
 */
export function claimedLabels(
  call: InboundCall,
  request: InferenceRequest,
  commit: (text: string) => string,
): RequestContext['claimed'] {
  if (saysNothing(call, request)) return nothing;
  const tags = new Set<string>();
  let left = maxTagBytes;
  const add = (tag: string): void => {
    if (tag === '' || tags.size >= maxTags) return;
    const kept = plainTag(tag, commit);
    if (tags.has(kept)) return;
    left -= utf8Length(quote(kept));
    if (left >= 0) tags.add(kept);
  };
  // First, so that no other tags can crowd them out.
  for (const [name, tag] of ownHeaders) {
    const id = call.header(name);
    if (id !== undefined && id !== '') add(`${tag}=${id}`);
  }
  for (const name of tagHeaders) {
    const text = call.header(name);
    if (text !== undefined) for (const tag of readTags(text)) add(tag);
  }
  for (const [name, value] of request.claimed.metadata) {
    if (name !== 'user_id') add(`${name}=${value}`);
  }
  const task = call.header(taskHeader) ?? call.header(sessionHeader);
  const user = claimedUser(request.claimed);
  return {
    ...(task === undefined || task === '' ? {} : { task: plainWord(task, commit) }),
    ...(user === undefined ? {} : { user: commit(user) }),
    tags: [...tags].sort(),
  };
}
