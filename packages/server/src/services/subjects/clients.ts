// Owns which clients a subject called from: an address and a user agent, sealed once and referred to afterwards.

import type { EntryId } from '@countersign/core/ids';
import { parseJson } from '@countersign/core/parse-json';
import { z } from 'zod';
import { ownText } from '../../platform/memory/own-text.ts';
import type { Client, SubjectKey } from './subject-key.ts';

/** How many clients of one subject are known by their entries; of further ones each call has its own copy. */
const mostClients = 4;
/** The most of a user agent that is kept, in characters. */
const maxUserAgent = 512;

const clientSchema = z.object({ address: z.string(), userAgent: z.string() });

/** The client of a call; `userAgent` is what the head says, if it says one. */
export function clientOf(address: string, userAgent: string | undefined): Client {
  return { address, userAgent: userAgent?.slice(0, maxUserAgent) ?? '' };
}

/** The entry beside which this client is sealed under this key, if there is one that is durable. */
export function knownClient(key: SubjectKey, client: Client): EntryId | undefined {
  for (const one of key.clients)
    if (one.address === client.address && one.userAgent === client.userAgent) return one.entryId;
  return undefined;
}

/** Notes that a client is sealed beside an entry. INVARIANT: that entry is durable, because others will name it. */
export function noteClient(key: SubjectKey, client: Client, entryId: EntryId): void {
  if (knownClient(key, client) !== undefined) return;
  key.clients.unshift({ address: ownText(client.address), userAgent: ownText(client.userAgent), entryId });
  if (key.clients.length > mostClients) key.clients.length = mostClients;
}

/** The bytes that stand for a client: what its commitment is of, and what is sealed. */
export function clientBytes({ address, userAgent }: Client): Buffer {
  return Buffer.from(JSON.stringify({ address, userAgent }), 'utf8');
}

/** A client from what was sealed. Throws for anything else. */
export function readClient(text: string): Client {
  const value: unknown = parseJson(text);
  return clientSchema.parse(value);
}
