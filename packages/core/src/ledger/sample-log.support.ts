// Owns the log that the tests of its verification share: built from its entries, and checked against held heads.

import { generateKeyPairSync, hash, sign, verify } from 'node:crypto';
import { signCheckpoint } from './checkpoint.ts';
import { toHex } from './encoding.ts';
import { makeVerifierKey } from './note.ts';
import { encodeBundle, entriesLevel, hashTiles, tilePath, tileWidth } from './tile.ts';
import { appendLeaves, createTreeHasher, emptyFrontier, frontierRoot } from './tree.ts';
import { type Finding, type HeldHead, verifyLog } from './verify-log.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const raw = Uint8Array.from(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
export const deps = {
  sha256: (data: Uint8Array) => hash('sha256', data, 'buffer'),
  utf8: (text: string) => Buffer.from(text),
  // One key pair in this file, so its ready object serves for its raw bytes.
  verifyEd25519: (key: Uint8Array, message: Uint8Array, signature: Uint8Array) =>
    toHex(key) === toHex(raw) && verify(null, message, publicKey, signature),
};
export const hasher = createTreeHasher(deps.sha256);
export const key = makeVerifierKey(deps, 'gw.example/org-1', 'ed25519', raw);
const signer = (message: Uint8Array) => sign(null, message, privateKey);

/** Files by their path, beside the checkpoint. */
export type Log = {
  readonly checkpoint: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly root: Uint8Array;
};

/** A log of these entries, signed; only the right-most tiles are partial. */
export function build(entries: readonly Uint8Array[]): Log {
  const leaves = entries.map(hasher.leaf);
  const files = new Map(hashTiles(hasher, leaves));
  for (let index = 0; index * tileWidth < entries.length; index += 1) {
    const part = entries.slice(index * tileWidth, (index + 1) * tileWidth);
    files.set(tilePath({ level: entriesLevel, index, width: part.length }), encodeBundle(part));
  }
  const root = frontierRoot(hasher, appendLeaves(hasher, emptyFrontier, leaves));
  return { files, root, checkpoint: signCheckpoint(deps.utf8, key, { size: entries.length, root }, signer) };
}

/** What a verification finds in a log; undefined: it is good. */
export async function check(log: Log, held: readonly HeldHead[] = []): Promise<Finding | undefined> {
  const read = (path: string) => log.files.get(path);
  const result = await verifyLog(deps, { key, checkpoint: log.checkpoint, read, held });
  return result.ok ? undefined : result.finding;
}

export const text = (i: number) => Buffer.from(`{"n":${i},"pad":"${'x'.repeat((i * 7) % 40)}"}`);
export const entries = Array.from({ length: 700 }, (_, i) => text(i));
export const whole = build(entries);
const rootAt = (size: number) => build(entries.slice(0, size)).root;
export const headAt = (size: number): HeldHead => ({ name: `head ${size}`, size, root: rootAt(size) });
