// Owns the keys that sample logs are signed with, for tests: one that is always the same, and others.

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { formatVerifierKey, makeVerifierKey, type VerifierKey } from '@countersign/core/ledger/note';
import { nodeVerifying } from '../ledger/node-verifying.ts';

/** PKCS #8 of an Ed25519 key (RFC 8410), up to its 32 bytes. */
const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The key of the sample log: a test knows it before the log is written. */
export function sampleKey(): KeyObject {
  return createPrivateKey({
    key: Buffer.concat([prefix, Buffer.alloc(32, 7)]),
    format: 'der',
    type: 'pkcs8',
  });
}

/** A key that signs no other log. */
export function anotherKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

/** The verifier key of a log of this name. */
export function verifierKeyOf(key: KeyObject, name: string): VerifierKey {
  const raw = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url');
  return makeVerifierKey(nodeVerifying, name, 'ed25519', raw);
}

/** The same as text, for the sample's own key. */
export function sampleVkey(name: string): string {
  return formatVerifierKey(verifierKeyOf(sampleKey(), name));
}
