// Owns the measurement of an offline verification. Takes the number of entries, 1,000,000 if not given, and of rounds.

import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeEntryId, makeRequestId } from '@countersign/core/ids';
import { assembleIntent } from '@countersign/core/ledger/assemble';
import { fragment } from '@countersign/core/ledger/canonical';
import { signCheckpoint } from '@countersign/core/ledger/checkpoint';
import { formatVerifierKey, makeVerifierKey } from '@countersign/core/ledger/note';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { appendLeaves, createTreeHasher, emptyFrontier, frontierRoot } from '@countersign/core/ledger/tree';
import { nodeVerifying } from './node-verifying.ts';
import { verifyDirectory } from './verify-directory.ts';
import { writeExport } from './write-export.ts';

const size = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 3);
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
const key = makeVerifierKey(nodeVerifying, 'gw.example/org-1', 'ed25519', raw);
const hasher = createTreeHasher(nodeVerifying.sha256);
const hash = 'ab'.repeat(32);
const actor = fragment({
  id: 'usr_01',
  kind: 'user',
  org: 'org_01',
  roles: ['member'],
  proof: 'key',
  cred: 'key_01',
});
const target = fragment({ provider: 'sandbox', model: 'echo', route: '/v1/chat/completions' });
const policy = fragment({ decision: 'allow', version: 4, hash, rules: ['members-may-call'] });
const ctx = fragment({ labels: ['none'], network: ['office'], claimed: { tags: [] } });

const fixed = {
  ...({ type: 'model_call', sv: 4, attempt: 1 } as const),
  ...{ actor, target, log: fragment(key.name), ts: fragment('2026-11-22T03:35:39.123Z') },
  ...{ node: fragment('n1'), boot: fragment('b1') },
};
const bytes = new Uint8Array(10);

function entry(i: number): Uint8Array {
  const call = { id: makeEntryId(i, bytes), req: makeRequestId(i, bytes) };
  const own = { policy, ctx, content: { req_c: hash, req_len: 900 } };
  return nodeVerifying.utf8(assembleIntent({ ...fixed, ...call }, own));
}

function* bundles(): Generator<Uint8Array, void> {
  for (let start = 0; start < size; start += 256) {
    yield encodeBundle(Array.from({ length: Math.min(256, size - start) }, (_, i) => entry(start + i)));
  }
}

function seconds(since: number): number {
  return (performance.now() - since) / 1000;
}

/** How long one verification took. Throws if it does not find the whole log good. */
async function verify(directory: string, copies: boolean): Promise<number> {
  const started = performance.now();
  const result = await verifyDirectory(directory, { copies });
  const took = seconds(started);
  if (!result.ok || result.size !== size) throw new Error(`not verified: ${JSON.stringify(result)}`);
  console.log(`verify${copies ? ' with copies' : ''}: ${took.toFixed(2)} s`);
  return took;
}

let frontier = emptyFrontier;
for (let i = 0; i < size; i += 256) {
  const leaves = Array.from({ length: Math.min(256, size - i) }, (_, j) => hasher.leaf(entry(i + j)));
  frontier = appendLeaves(hasher, frontier, leaves);
}
const root = frontierRoot(hasher, frontier);
const checkpoint = signCheckpoint(nodeVerifying.utf8, key, { size, root }, (m) => sign(null, m, privateKey));
const parent = mkdtempSync(join(tmpdir(), 'ledger-bench-'));
try {
  const directory = join(parent, 'export');
  const wrote = performance.now();
  await writeExport(directory, { vkey: formatVerifierKey(key), checkpoint, bundles: bundles() });
  console.log(`write ${size} entries of ${entry(0).length} bytes: ${seconds(wrote).toFixed(2)} s`);
  const tiles: number[] = [];
  const whole: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    tiles.push(await verify(directory, false));
    whole.push(await verify(directory, true));
  }
  const bytesEach = entry(0).length;
  console.log(JSON.stringify({ figures: 'verification', entries: size, bytesEach, tiles, whole }));
} finally {
  rmSync(parent, { recursive: true, force: true });
}
