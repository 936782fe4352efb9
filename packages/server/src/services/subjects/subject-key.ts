// Owns a subject's own key, and the commitments that it salts.

import { createHash, createHmac, createSecretKey, type Hash, hash, type KeyObject } from 'node:crypto';
import type { EntryId } from '@countersign/core/ids';

/** Where a call came from, as its connection and its head said. Personal data. */
export type Client = { readonly address: string; readonly userAgent: string };

/** A client that is sealed beside an entry which is durable. */
export type SealedClient = Client & { readonly entryId: EntryId };

/** A subject's key, ready for sealing and for salts. It prints as nothing of itself. */
export type SubjectKey = {
  readonly object: KeyObject;
  /** The key's two blocks of HMAC (RFC 2104), 64 bytes each. Not enumerable. */
  readonly pads: { readonly inner: Uint8Array; readonly outer: Uint8Array };
  /** Clients that are sealed under it already, the newest first (`clients.ts`). Not enumerable: they are the subject's. */
  readonly clients: SealedClient[];
};

const blockBytes = 64;
const digestBytes = 32;
const entryIdBytes = 36;

/** Takes the key in from its bytes, at most 64 of them: the length of all subjects' keys is 32. */
export function subjectKeyOf(bytes: Uint8Array): SubjectKey {
  if (bytes.length > blockBytes) throw new RangeError('a subject key has at most 64 bytes');
  const pads = { inner: new Uint8Array(blockBytes), outer: new Uint8Array(blockBytes) };
  for (let i = 0; i < blockBytes; i += 1) {
    pads.inner[i] = (bytes[i] ?? 0) ^ 0x36;
    pads.outer[i] = (bytes[i] ?? 0) ^ 0x5c;
  }
  const object = createSecretKey(bytes);
  const hidden = { enumerable: false };
  return Object.defineProperties({ object, pads, clients: [] }, { pads: hidden, clients: hidden });
}

export type Purpose = 'request' | 'response' | 'client';

export type Commitments = {
  /** SHA-256(salt ‖ content) in hex, of a content that is there as a whole. */
  readonly commit: (key: SubjectKey, entryId: EntryId, purpose: Purpose, content: Uint8Array) => string;
  /** The same hash, begun, for a content that comes in pieces. */
  readonly begin: (key: SubjectKey, entryId: EntryId, purpose: Purpose) => Hash;
};

/** Contents up to this go through one call of the hash, by way of one copy. */
const smallBytes = 16 * 1024;

/** The plain statement of a salt: HMAC-SHA-256(subject key, entry id ‖ 0x00 ‖ purpose). Opening one reveals one. */
export function saltOf(key: KeyObject, entryId: EntryId, purpose: Purpose): Buffer {
  return createHmac('sha256', key).update(`${entryId}\u0000${purpose}`).digest();
}

/**
 * Commitments of one thread. Whole contents are salted by three one-shot hashes over memory that is used again, and
 * what goes from one to the next are strings of a character for each byte: a new HMAC object a call costs twice as
 * much, digests in buffers of their own two thirds more, and each leaves work for the collector. A test holds the
 * salts to `saltOf`.
 */
export function createCommitments(): Commitments {
  const inner = Buffer.alloc(blockBytes + entryIdBytes + 1 + 'response'.length);
  const innerOf = (purpose: Purpose): Buffer =>
    inner.subarray(0, blockBytes + entryIdBytes + 1 + purpose.length);
  const inners = {
    request: innerOf('request'),
    response: innerOf('response'),
    client: innerOf('client'),
  };
  const outer = Buffer.alloc(blockBytes + digestBytes);
  const small = Buffer.alloc(digestBytes + smallBytes);

  /** In Latin-1. */
  function salt({ pads }: SubjectKey, entryId: EntryId, purpose: Purpose): string {
    inner.set(pads.inner, 0);
    outer.set(pads.outer, 0);
    inner.write(`${entryId}\u0000${purpose}`, blockBytes, 'latin1');
    outer.write(hash('sha256', inners[purpose], 'binary'), blockBytes, 'latin1');
    return hash('sha256', outer, 'binary');
  }

  return {
    commit(key, entryId, purpose, content) {
      if (content.length > smallBytes)
        return createHash('sha256')
          .update(salt(key, entryId, purpose), 'latin1')
          .update(content)
          .digest('hex');
      small.write(salt(key, entryId, purpose), 0, 'latin1');
      small.set(content, digestBytes);
      return hash('sha256', small.subarray(0, digestBytes + content.length), 'hex');
    },
    begin: (key, entryId, purpose) => createHash('sha256').update(salt(key, entryId, purpose), 'latin1'),
  };
}
