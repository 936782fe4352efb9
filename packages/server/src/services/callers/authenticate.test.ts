// Claims about the step from what a request presents to one credential of one organization.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { TokenProof } from '@countersign/core/identity/actor';
import { makeId, makeRequestId, type OrgId } from '@countersign/core/ids';
import { formatKey } from '@countersign/core/tokens/key-format';
import { authenticate, type RefusedToken, type VerifiedCaller } from './authenticate.ts';

const random = (count: number): Uint8Array => new Uint8Array(randomBytes(count));
const acme = makeId('org', 1, random(10));
const other = makeId('org', 1, random(10));
const keyId = makeId('key', 1, random(10));
const key = formatKey(keyId, random(32));
/** What has the form of a token; whose it is `verifyToken` says. */
const token = 'eyJh.eyJp.c2ln';

const proof: TokenProof = {
  issuerId: makeId('tokenIssuer', 1, random(10)),
  subject: 'a'.repeat(64),
  authorizedParty: undefined,
  customer: undefined,
  amr: [],
  authTime: undefined,
  expiresAt: 2,
};

/** A gateway that has `acme` in memory, the key's organization, and for which every token is of `tokensOf`. */
function open(tokensOf: OrgId, isInMemory = true) {
  const refused: (readonly [string, string | undefined])[] = [];
  const verified: string[] = [];
  let asked = 0;
  const deps = {
    snapshots: {
      peek: (orgId: OrgId) => (isInMemory && orgId === acme ? orgId : undefined),
      get: async (orgId: OrgId) => orgId,
    },
    organizationOfKey: (_id: string, isWorthAsking: () => boolean) => {
      if (isInMemory) return acme;
      if (!isWorthAsking()) return undefined;
      asked += 1;
      return Promise.resolve(acme);
    },
    hashCredential: (text: string) => createHash('sha256').update(text).digest('hex'),
    verifyToken: async (text: string): Promise<VerifiedCaller | RefusedToken> => {
      verified.push(text);
      return { isRefused: false, orgId: tokensOf, token: proof };
    },
    noteRefused: (_call: unknown, reason: string, detail?: string) => void refused.push([reason, detail]),
  };
  const ask = async (...rawHeaders: string[]) =>
    authenticate(deps, { requestId: makeRequestId(1, random(10)), address: '192.0.2.7', rawHeaders });
  return { ask, refused, verified, asked: () => asked };
}

const failed = { code: 'authentication_failed' };

test("a key and a person's token of another organization are refused, whether or not the key is in memory", async () => {
  for (const isInMemory of [true, false]) {
    const { ask, refused } = open(other, isInMemory);
    await assert.rejects(ask('x-api-key', key, 'x-countersign-user', token), failed);
    assert.deepEqual(refused, [['token_refused', 'other_organization']]);
    const own = await open(acme, isInMemory).ask('x-api-key', key, 'x-countersign-user', token);
    assert.deepEqual([own.snapshot, own.credential.kind], [acme, 'key_with_token']);
  }
});

test("a person's token stands beside a key, and never beside another token: of two people neither acts", async () => {
  const { ask, refused, verified } = open(acme);
  await assert.rejects(ask('authorization', `Bearer ${token}`, 'x-countersign-user', `${token}2`), failed);
  await assert.rejects(ask('authorization', `Bearer ${token}`, 'x-countersign-user', token), failed);
  await assert.rejects(ask('x-countersign-user', token), failed);
  assert.deepEqual(
    refused.map(([reason]) => reason),
    ['malformed_key', 'malformed_key', 'none'],
  );
  assert.deepEqual(verified, [], 'neither of them was looked at');
});

test('what has the form of a key is never tried as a token, and the store is asked for no key with a typing error', async () => {
  const wrong = `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`;
  const { ask, refused, verified, asked } = open(acme, false);
  for (const text of ['csk_nonsense', `${key}.a.b`, wrong])
    await assert.rejects(ask('authorization', `Bearer ${text}`), failed);
  assert.deepEqual(
    refused.map(([reason]) => reason),
    ['malformed_key', 'malformed_key', 'unknown_key'],
  );
  assert.deepEqual([verified, asked()], [[], 0]);
});
