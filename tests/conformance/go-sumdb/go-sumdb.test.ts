// Owns the proof that strangers' code reads our exports: Go's checksum-database packages verify them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isObject } from '@countersign/core/json';
import { signCheckpoint } from '@countersign/core/ledger/checkpoint';
import { toBase64 } from '@countersign/core/ledger/encoding';
import { formatVerifierKey, makeVerifierKey } from '@countersign/core/ledger/note';
import { encodeBundle, rangeHashFromTiles, tilePath } from '@countersign/core/ledger/tile';
import {
  appendLeaves,
  consistencyProof,
  createTreeHasher,
  emptyFrontier,
  frontierRoot,
  inclusionProof,
} from '@countersign/core/ledger/tree';
import { nodeVerifying } from '@countersign/sdk/ledger/node-verifying';
import { openExport } from '@countersign/sdk/ledger/read-export';
import { writeExport } from '@countersign/sdk/ledger/write-export';

const go = '/usr/lib/go-1.19/bin/go';
const modules = '/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog';
const size = 70_000;
const hasher = createTreeHasher(nodeVerifying.sha256);
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
const key = makeVerifierKey(nodeVerifying, 'gw.example/org-1', 'ed25519', raw);
const vkey = formatVerifierKey(key);
const entries = Array.from({ length: size }, (_, i) =>
  nodeVerifying.utf8(`{"n":${i},"who":"usr_${i % 97}"}`),
);
const room = mkdtempSync(join(tmpdir(), 'go-sumdb-'));
const program = join(room, 'verify');
const log = join(room, 'log');

function checkpointAt(count: number): string {
  const leaves = entries.slice(0, count).map(hasher.leaf);
  const root = frontierRoot(hasher, appendLeaves(hasher, emptyFrontier, leaves));
  return signCheckpoint(nodeVerifying.utf8, key, { size: count, root }, (m) => sign(null, m, privateKey));
}

function goIsThere(): boolean {
  return existsSync(go) && existsSync(modules);
}

/** True when the test was skipped. With CI=true a missing Go is a failure instead. */
function skipWithoutGo(t: TestContext): boolean {
  if (goIsThere()) return false;
  const reason = 'needs the Debian packages golang-1.19-go and golang-golang-x-mod-dev';
  assert.notEqual(process.env.CI, 'true', reason);
  t.skip(reason);
  return true;
}

before(async () => {
  if (!goIsThere()) return;
  const source = fileURLToPath(new URL('verify.go', import.meta.url));
  const env = {
    ...process.env,
    GO111MODULE: 'off',
    GOPATH: '/usr/share/gocode',
    GOCACHE: join(room, 'cache'),
    GOFLAGS: '',
    GOROOT: '/usr/lib/go-1.19',
    GOTOOLCHAIN: 'local',
  };
  const built = spawnSync(go, ['build', '-o', program, source], { env, encoding: 'utf8', timeout: 240_000 });
  assert.equal(built.status, 0, `${built.stderr}${built.error?.message ?? ''}`);
  const bundles = Array.from({ length: Math.ceil(size / 256) }, (_, i) =>
    encodeBundle(entries.slice(i * 256, i * 256 + 256)),
  );
  await writeExport(log, { vkey, checkpoint: checkpointAt(size), bundles });
});

after(() => rmSync(room, { recursive: true, force: true }));

function verify(directory: string, logKey: string, index: number, older: number) {
  const { status, stdout, stderr } = spawnSync(program, [directory, logKey, String(index), String(older)], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout, stderr: stderr.trim() };
}

/** A copy of the export with one edit. */
function spoiled(name: string, edit: (directory: string) => void): string {
  const directory = join(room, name);
  cpSync(log, directory, { recursive: true });
  edit(directory);
  return directory;
}

test('Go verifies our export, and its proofs are ours hash for hash', { timeout: 300_000 }, (t) => {
  if (skipWithoutGo(t)) return;
  const { read } = openExport(log);
  const ranges = rangeHashFromTiles(hasher, size, (level, index, width) => {
    return read(tilePath({ level, index, width })) ?? assert.fail();
  });
  for (const [index, older] of [
    [0, 1],
    [69_999, 69_999],
    [65_535, 65_536],
    [12_345, 43_210],
  ] as const) {
    const { status, stdout, stderr } = verify(log, vkey, index, older);
    assert.equal(status, 0, stderr);
    const leaves = entries.slice(0, older).map(hasher.leaf);
    const base64 = (hashes: readonly Uint8Array[]) => hashes.map(toBase64);
    assert.deepEqual(JSON.parse(stdout), {
      size,
      root: checkpointAt(size).split('\n')[2],
      olderRoot: toBase64(frontierRoot(hasher, appendLeaves(hasher, emptyFrontier, leaves))),
      leaf: toBase64(hasher.leaf(entries[index] ?? assert.fail())),
      inclusion: base64(inclusionProof(index, size, ranges)),
      consistency: base64(consistencyProof(older, size, ranges)),
    });
  }
});

test('Go refuses an edited byte, a cut bundle, a swapped checkpoint and another key', {
  timeout: 300_000,
}, (t) => {
  if (skipWithoutGo(t)) return;
  const edited = spoiled('edited', (directory) => {
    const file = join(directory, 'tile/entries/100');
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.with(50, (bytes[50] ?? 0) ^ 1));
  });
  const cut = spoiled('cut', (directory) => {
    const file = join(directory, 'tile/entries/273.p/112');
    writeFileSync(file, readFileSync(file).subarray(0, -5));
  });
  const swapped = spoiled('swapped', (directory) =>
    writeFileSync(join(directory, 'checkpoint'), checkpointAt(60_000)),
  );
  const tile = spoiled('tile', (directory) => {
    const file = join(directory, 'tile/1/000');
    writeFileSync(file, readFileSync(file).fill(7, 0, 1));
  });
  const forged = spoiled('forged', (directory) => {
    // An edited entry with its leaf hash put right in the tile beside it.
    const bundle = encodeBundle(entries.slice(0, 256).with(9, nodeVerifying.utf8('{"n":9,"who":"nobody"}')));
    writeFileSync(join(directory, 'tile/entries/000'), bundle);
    const leaves = readFileSync(join(directory, 'tile/0/000'));
    leaves.set(hasher.leaf(nodeVerifying.utf8('{"n":9,"who":"nobody"}')), 9 * 32);
    writeFileSync(join(directory, 'tile/0/000'), leaves);
  });
  const moved = spoiled('moved', (directory) => {
    renameSync(join(directory, 'tile/entries/001'), join(directory, 'tile/entries/x'));
    renameSync(join(directory, 'tile/entries/002'), join(directory, 'tile/entries/001'));
    renameSync(join(directory, 'tile/entries/x'), join(directory, 'tile/entries/002'));
  });
  for (const [directory, reason] of [
    [edited, /^leaves: entry 256\d\d is not the one in the tree$/],
    [cut, /^entries: torn entry 69999$/],
    [swapped, /no such file/],
    [tile, /^tree: tile\/8\/1\/000 differs$/],
    [forged, /^tree: root mismatch$/],
    [moved, /^leaves: entry 256 is not the one in the tree$/],
  ] as const) {
    const { status, stderr } = verify(directory, vkey, 0, 1);
    assert.equal(status, 1, directory);
    assert.match(stderr, reason);
  }
  const other = formatVerifierKey(
    makeVerifierKey(
      nodeVerifying,
      key.name,
      'ed25519',
      raw.map((byte) => byte ^ 1),
    ),
  );
  assert.match(verify(log, other, 0, 1).stderr, /^checkpoint: /);
});

test('Go verifies the stored vectors, whose proofs were made elsewhere', { timeout: 60_000 }, (t) => {
  if (skipWithoutGo(t)) return;
  const vectors = fileURLToPath(new URL('../../vectors/log-1000', import.meta.url));
  const logKey = readFileSync(join(vectors, 'vkey'), 'utf8').trim();
  const { status, stdout, stderr } = verify(vectors, logKey, 123, 700);
  assert.equal(status, 0, stderr);
  const proofs: unknown = JSON.parse(readFileSync(join(vectors, 'proofs.json'), 'utf8'));
  const found: unknown = JSON.parse(stdout);
  assert.partialDeepStrictEqual(found, { size: 1000, root: '5nFSKCkHujpF9Z+tgUKVjTUs3ZNObqoUrIvaYGA3UhM=' });
  assert.ok(isObject(found));
  const { inclusion, consistency } = found;
  assert.deepEqual(proofs, {
    inc: { i: 123, proof: inclusion },
    cons: { m: 700, n: 1000, proof: consistency },
  });
});
