// Tests the check of an exported log on disk, with and without an anchor.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { signCheckpoint } from '@countersign/core/ledger/checkpoint';
import { cosign } from '@countersign/core/ledger/cosignature';
import { formatSignature, formatVerifierKey, makeVerifierKey } from '@countersign/core/ledger/note';
import { encodeBundle, rangeHashFromTiles, tilePath } from '@countersign/core/ledger/tile';
import { formatTlogProof } from '@countersign/core/ledger/tlog-proof';
import {
  appendLeaves,
  createTreeHasher,
  emptyFrontier,
  frontierRoot,
  inclusionProof,
} from '@countersign/core/ledger/tree';
import { describeReceipt, describeVerification } from './describe-verification.ts';
import { nodeVerifying } from './node-verifying.ts';
import { openExport } from './read-export.ts';
import { verifyDirectory } from './verify-directory.ts';
import { verifyReceipt } from './verify-receipt.ts';
import { writeExport } from './write-export.ts';

const { utf8 } = nodeVerifying;
const hasher = createTreeHasher(nodeVerifying.sha256);

function makeKey(name: string, type: 'ed25519' | 'cosignature') {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const key = makeVerifierKey(nodeVerifying, name, type, raw);
  return {
    key,
    vkey: formatVerifierKey(key),
    sign: (message: Uint8Array) => sign(null, message, privateKey),
  };
}

const log = makeKey('gw.example/org-1', 'ed25519');
const witness = makeKey('witness.example/w1', 'cosignature');
const entries = Array.from({ length: 600 }, (_, i) => utf8(`{"n":${i}}`));

function checkpointOf(list: readonly Uint8Array[]): string {
  const root = frontierRoot(hasher, appendLeaves(hasher, emptyFrontier, list.map(hasher.leaf)));
  return signCheckpoint(utf8, log.key, { size: list.length, root }, log.sign);
}

/** Bundles of 37 entries: a writer's batches need not be the tiles'. */
function bundlesOf(list: readonly Uint8Array[]): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(list.length / 37) }, (_, i) =>
    encodeBundle(list.slice(i * 37, i * 37 + 37)),
  );
}

function room(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'ledger-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function exported(t: TestContext, list = entries, checkpoint = checkpointOf(list)): Promise<string> {
  const directory = join(room(t), 'export');
  await writeExport(directory, { vkey: log.vkey, checkpoint, bundles: bundlesOf(list) });
  return directory;
}

test('an export verifies, and without an anchor it says that it does not protect against the operator', async (t) => {
  const directory = await exported(t);
  const result = await verifyDirectory(directory);
  assert.ok(result.ok, JSON.stringify(result));
  assert.equal(result.size, 600);
  const text = describeVerification(result);
  assert.match(text, /^verified: 600 entries of `gw.example\/org-1`/);
  assert.match(text, /not protected against the operator/);
  assert.match(text, /the verifier key came with the export/);
});

test('a held checkpoint protects its own entries and no later ones', async (t) => {
  const directory = await exported(t);
  const since = checkpointOf(entries.slice(0, 400));
  const text = describeVerification(await verifyDirectory(directory, { vkey: log.vkey, since }));
  assert.match(text, /\nprotected against the operator: the first 400 entries/);
  assert.match(text, /not protected against the operator: the 200 entries after/);
  assert.doesNotMatch(text, /came with the export/);
  const full = await verifyDirectory(directory, { vkey: log.vkey, since: checkpointOf(entries) });
  assert.doesNotMatch(describeVerification(full), /not protected against the operator/);
});

test('a log that was cut and signed again is refused to who holds a later checkpoint', async (t) => {
  const directory = await exported(t, entries.slice(0, 500));
  assert.ok((await verifyDirectory(directory)).ok);
  const result = await verifyDirectory(directory, { since: checkpointOf(entries) });
  assert.equal(result.ok ? '' : result.finding.kind, 'rolled_back');
  const forged = await exported(t, entries.with(3, utf8('{"n":"forged"}')));
  const forked = await verifyDirectory(forged, { since: checkpointOf(entries.slice(0, 10)) });
  assert.equal(forked.ok ? '' : forked.finding.kind, 'forked');
  assert.match(describeVerification(forked), /^NOT VERIFIED: the first 10 entries are not those/);
});

test('a checkpoint held of another log is refused, not passed over', async (t) => {
  const other = makeKey('gw.example/org-2', 'ed25519');
  const since = signCheckpoint(utf8, other.key, { size: 1, root: hasher.leaf(utf8('x')) }, other.sign);
  const result = await verifyDirectory(await exported(t), { since });
  assert.deepEqual(result, { ok: false, finding: { kind: 'held_refused', problem: 'origin_differs' } });
});

test('a checkpoint may be held as the JSON of the API, and what is no checkpoint is told from a false one', async (t) => {
  const directory = await exported(t);
  const checkpoint = checkpointOf(entries.slice(0, 10));
  const since = JSON.stringify({ checkpoint, verifierKey: log.vkey }, null, 2);
  const held = await verifyDirectory(directory, { since });
  assert.equal(held.ok ? held.heldSize : held.finding.kind, 10);
  for (const wrong of ['', 'checkpoint:', '{', '{"checkpoint":7}', `${checkpoint}${checkpoint}`]) {
    const result = await verifyDirectory(directory, { since: wrong });
    assert.deepEqual(result, {
      ok: false,
      finding: { kind: 'held_refused', problem: 'checkpoint_malformed' },
    });
    assert.match(describeVerification(result), /is no checkpoint/);
    assert.doesNotMatch(describeVerification(result), /not signed by this log/);
  }
});

test('a witness protects against the operator, a false or missing one does not', async (t) => {
  const plain = checkpointOf(entries);
  const body = plain.slice(0, plain.indexOf('\n\n') + 1);
  const line = cosign(utf8, witness.key, 1_763_769_600, body, witness.sign);
  const directory = await exported(t, entries, plain + formatSignature(line));
  const witnesses = [witness.vkey];
  const text = describeVerification(await verifyDirectory(directory, { vkey: log.vkey, witnesses }));
  assert.match(text, /witness `witness.example\/w1` saw this tree at 2025-11-22T00:00:00.000Z/);
  assert.doesNotMatch(text, /not protected against the operator/);
  const policy = `log ${log.vkey}\nwitness w ${witness.vkey}\nquorum w\n`;
  assert.ok((await verifyDirectory(directory, { policy })).ok);
  const unsigned = await exported(t);
  const finding = { kind: 'quorum_not_met', cosigned: [] };
  assert.deepEqual(await verifyDirectory(unsigned, { policy }), { ok: false, finding });
  const absent = { kind: 'cosignature_missing', witness: 'witness.example/w1' };
  assert.deepEqual(await verifyDirectory(unsigned, { witnesses }), { ok: false, finding: absent });
  const later = cosign(utf8, witness.key, 1_763_769_601, `${body}x\n`, witness.sign);
  const falsely = await exported(t, entries, plain + formatSignature(later));
  const refused = await verifyDirectory(falsely, { witnesses });
  assert.equal(refused.ok ? '' : refused.finding.kind, 'cosignature_invalid');
});

test('another key, a strange tile, an edited copy and a missing checkpoint are each named', async (t) => {
  const directory = await exported(t);
  const edit = async (file: string, put: string | Uint8Array | undefined) => {
    const copy = join(room(t), 'copy');
    cpSync(directory, copy, { recursive: true });
    if (put === undefined) rmSync(join(copy, file));
    else writeFileSync(join(copy, file), put);
    const result = await verifyDirectory(copy);
    return result.ok ? 'ok' : result.finding.kind;
  };
  const jsonl = readFileSync(join(directory, 'entries.jsonl'), 'utf8');
  const leaves = readFileSync(join(directory, 'leaf-hashes.txt'), 'utf8');
  assert.equal(await edit('tile/entries/003', 'x'), 'file_unexpected');
  assert.equal(await edit('entries.jsonl', jsonl.replace('"n":400}', '"n":401}')), 'copy_differs');
  assert.equal(await edit('entries.jsonl', jsonl.slice(0, -1)), 'copy_differs');
  assert.equal(await edit('entries.jsonl', `${jsonl}{}\n`), 'copy_differs');
  assert.equal(await edit('leaf-hashes.txt', leaves.slice(65)), 'copy_differs');
  assert.equal(await edit('checkpoint', undefined), 'file_missing');
  assert.equal(await edit('checkpoint', Uint8Array.of(0xff, 0xfe)), 'checkpoint_malformed');
  assert.equal(await edit('vkey', undefined), 'key_missing');
  assert.equal(await edit('vkey', makeKey('gw.example/org-1', 'ed25519').vkey), 'signature_missing');
  const stranger = await verifyDirectory(directory, { vkey: makeKey('gw.example/org-1', 'ed25519').vkey });
  assert.equal(stranger.ok ? '' : stranger.finding.kind, 'signature_missing');
});

test('the independent vectors verify against their older checkpoint and their witness', async () => {
  const directory = fileURLToPath(new URL('../../../../tests/vectors/log-1000', import.meta.url));
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  const options = { vkey: read('vkey'), since: read('checkpoint.old'), witnesses: [read('witness.vkey')] };
  const result = await verifyDirectory(directory, options);
  assert.ok(result.ok, JSON.stringify(result));
  assert.deepEqual(result.cosignatures, [{ witness: 'witness.example/w1', time: 1763769600 }]);
  assert.equal(result.heldSize, 700);
});

test('an export replaces an earlier one of its log, and nothing else', async (t) => {
  const directory = await exported(t, entries.slice(0, 300));
  const source = { vkey: log.vkey, checkpoint: checkpointOf(entries), bundles: bundlesOf(entries) };
  assert.deepEqual(await writeExport(directory, source), { size: 600, files: 11, dropped: [] });
  assert.ok((await verifyDirectory(directory)).ok);
  const shorter = { ...source, checkpoint: checkpointOf(entries.slice(0, 300)) };
  await assert.rejects(writeExport(directory, shorter), { code: 'conflict' });
  const foreign = join(room(t), 'notes');
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'diary.txt'), 'mine');
  await assert.rejects(writeExport(foreign, source), { code: 'conflict', message: /is not an export/ });
  assert.deepEqual(readdirSync(foreign), ['diary.txt']);
});

test('an export that does not match its checkpoint leaves nothing behind', async (t) => {
  const parent = room(t);
  const directory = join(parent, 'export');
  const checkpoint = checkpointOf(entries);
  for (const bundles of [
    bundlesOf(entries.with(9, utf8('{}'))),
    bundlesOf(entries.slice(1)),
    [Uint8Array.of(0, 9)],
  ]) {
    const source = { vkey: log.vkey, checkpoint, bundles };
    await assert.rejects(writeExport(directory, source), { code: 'invalid_request' });
  }
  const unsigned = { vkey: witness.vkey, checkpoint, bundles: bundlesOf(entries) };
  await assert.rejects(writeExport(directory, unsigned), { code: 'invalid_request' });
  assert.deepEqual(readdirSync(parent), []);
});

test('the copies can be checked with common tools', async (t) => {
  const directory = await exported(t);
  const line = `sed -n 5p entries.jsonl | tr -d '\\n' | { printf '\\0'; cat; } | sha256sum`;
  const { stdout } = spawnSync('sh', ['-c', line], { cwd: directory, encoding: 'utf8' });
  assert.equal(stdout.slice(0, 64), readFileSync(join(directory, 'leaf-hashes.txt'), 'utf8').split('\n')[4]);
  const reference = new URL('../../../../docs/reference/ledger.md', import.meta.url);
  assert.ok(readFileSync(reference, 'utf8').includes(line));
});

test('an empty log can be exported and verified', async (t) => {
  const result = await verifyDirectory(await exported(t, []));
  assert.ok(result.ok, JSON.stringify(result));
  assert.equal(result.size, 0);
});

test('a receipt made from an export verifies with its record, and with no other', async (t) => {
  const directory = await exported(t);
  const { read } = openExport(directory);
  const ranges = rangeHashFromTiles(hasher, 600, (level, index, width) => {
    return read(tilePath({ level, index, width })) ?? assert.fail();
  });
  const index = 321;
  const checkpoint = readFileSync(join(directory, 'checkpoint'), 'utf8');
  const receipt = formatTlogProof({ index, hashes: inclusionProof(index, 600, ranges), checkpoint });
  const verify = (place: number) =>
    verifyReceipt(receipt, entries[place] ?? assert.fail(), { vkey: log.vkey });
  const result = verify(index);
  assert.deepEqual(result, {
    ok: true,
    origin: 'gw.example/org-1',
    index,
    size: 600,
    cosignatures: [],
    missing: [],
  });
  assert.match(describeReceipt(result), /^verified: the record is entry 321 of `gw.example\/org-1`/);
  assert.equal(
    describeReceipt({ ok: false, problem: 'key_unusable' }),
    'NOT VERIFIED: a verifier key cannot be used',
  );
  assert.deepEqual(verify(index + 1), { ok: false, problem: 'record_not_included' });
});
