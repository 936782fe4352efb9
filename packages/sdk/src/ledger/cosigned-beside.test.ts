// Tests the cosigned checkpoint that lies in an export beside the newest one: what it protects, and each way to forge it.

import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { signCheckpoint } from '@countersign/core/ledger/checkpoint';
import { cosign } from '@countersign/core/ledger/cosignature';
import { formatSignature, formatVerifierKey, makeVerifierKey } from '@countersign/core/ledger/note';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { appendLeaves, createTreeHasher, emptyFrontier, frontierRoot } from '@countersign/core/ledger/tree';
import { describeVerification } from './describe-verification.ts';
import { nodeVerifying } from './node-verifying.ts';
import { exportFiles } from './read-export.ts';
import { type VerifyOptions, verifyDirectory } from './verify-directory.ts';
import { writeExport } from './write-export.ts';

const { utf8 } = nodeVerifying;
const hasher = createTreeHasher(nodeVerifying.sha256);

function makeKey(name: string, type: 'ed25519' | 'cosignature') {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const key = makeVerifierKey(nodeVerifying, name, type, Uint8Array.from(raw));
  return {
    key,
    vkey: formatVerifierKey(key),
    sign: (message: Uint8Array) => sign(null, message, privateKey),
  };
}

const log = makeKey('gw.example/org-1', 'ed25519');
const witness = makeKey('witness.example/w1', 'cosignature');
const second = makeKey('witness.example/w2', 'cosignature');
const entries = Array.from({ length: 300 }, (_, i) => utf8(`{"n":${i}}`));
const time = 1_763_769_600;

function checkpointOf(list: readonly Uint8Array[], by = log): string {
  const root = frontierRoot(hasher, appendLeaves(hasher, emptyFrontier, list.map(hasher.leaf)));
  return signCheckpoint(utf8, by.key, { size: list.length, root }, by.sign);
}

/** The checkpoint with the cosignatures of these witnesses. */
function cosignedBy(checkpoint: string, ...witnesses: readonly (typeof witness)[]): string {
  const text = checkpoint.slice(0, checkpoint.indexOf('\n\n') + 1);
  const lines = witnesses.map((one) => formatSignature(cosign(utf8, one.key, time, text, one.sign)));
  return checkpoint + lines.join('');
}

const beginning = checkpointOf(entries.slice(0, 200));

/** What becomes of an export with this cosigned checkpoint, put there after it was written. */
async function verified(
  t: TestContext,
  cosigned: string | Uint8Array | undefined,
  options: VerifyOptions = {},
  checkpoint = checkpointOf(entries),
) {
  const room = mkdtempSync(join(tmpdir(), 'cosigned-'));
  t.after(() => rmSync(room, { recursive: true, force: true }));
  const directory = join(room, 'export');
  await writeExport(directory, { vkey: log.vkey, checkpoint, bundles: [encodeBundle(entries)] });
  if (cosigned !== undefined) writeFileSync(join(directory, exportFiles.cosigned), cosigned);
  const result = await verifyDirectory(directory, { vkey: log.vkey, ...options });
  return { result, found: result.ok ? 'verified' : result.finding.kind, words: describeVerification(result) };
}

const policyOf = (quorum: string): string =>
  `log ${log.vkey}\nwitness a ${witness.vkey}\nwitness b ${second.vkey}\ngroup both all a b\nquorum ${quorum}\n`;

test('a cosigned checkpoint protects the beginning that it covers, at the witness’s time, and nothing after it', async (t) => {
  const note = cosignedBy(beginning, witness);
  for (const options of [
    { witnesses: [witness.vkey] },
    { policy: policyOf('a') },
    { policy: policyOf('none') },
  ]) {
    const { result, words } = await verified(t, note, options);
    assert.ok(result.ok, words);
    assert.deepEqual([result.cosignedSize, result.unheldSize], [200, 0]);
    assert.match(
      words,
      /the first 200 entries: witness `witness.example\/w1` saw them at 2025-11-22T00:00:00.000Z/,
    );
    assert.match(words, /not protected against the operator: the 100 entries after the cosigned checkpoint/);
  }
});

test('of two cosigned checkpoints that satisfy, the one with more cosignatures counts, else the larger', async (t) => {
  const newest = cosignedBy(checkpointOf(entries), witness);
  const both = await verified(t, cosignedBy(beginning, witness, second), { policy: policyOf('a') }, newest);
  assert.equal(both.result.ok && both.result.cosignedSize, 200);
  const alike = await verified(t, cosignedBy(beginning, witness), { policy: policyOf('a') }, newest);
  assert.equal(alike.result.ok && alike.result.cosignedSize, 300);
  const needed = await verified(
    t,
    cosignedBy(beginning, witness, second),
    { policy: policyOf('both') },
    newest,
  );
  assert.equal(needed.result.ok && needed.result.cosignedSize, 200);
});

test('without a witness’s key or a policy a cosigned checkpoint counts for nothing, and that is said', async (t) => {
  const { result, words } = await verified(t, cosignedBy(beginning, witness));
  assert.ok(result.ok);
  assert.deepEqual([result.cosignedSize, result.unheldSize, result.cosignatures.length], [0, 200, 0]);
  assert.match(words, /of 200 entries lies in the export and counts for nothing/);
  assert.match(words, /not protected against the operator: whoever has the signing key/);
});

test('a cosigned checkpoint by another key does not do, and a false line makes the export false', async (t) => {
  const witnesses = [witness.vkey];
  assert.equal(
    (await verified(t, cosignedBy(beginning, second), { witnesses })).found,
    'cosignature_missing',
  );
  assert.equal((await verified(t, undefined, { witnesses })).found, 'cosignature_missing');
  const impostor = { ...second, key: witness.key };
  assert.equal(
    (await verified(t, cosignedBy(beginning, impostor), { witnesses })).found,
    'cosignature_invalid',
  );
  const moved = cosignedBy(beginning, witness).slice(beginning.length);
  const other = checkpointOf(entries.slice(0, 201)) + moved;
  assert.equal((await verified(t, other, { witnesses })).found, 'cosignature_invalid');
  const policy = policyOf('both');
  assert.equal((await verified(t, cosignedBy(beginning, witness), { policy })).found, 'quorum_not_met');
});

test('a cosigned checkpoint of another log, of a larger tree or of another one is a finding, whoever looks', async (t) => {
  const stranger = makeKey('gw.example/org-2', 'ed25519');
  const twin = makeKey('gw.example/org-1', 'ed25519');
  const more = [...entries, utf8('{"n":"gone"}')];
  const altered = entries.slice(0, 200).with(3, utf8('{"n":"other"}'));
  const cases: readonly (readonly [string, string | Uint8Array])[] = [
    ['cosigned_refused', cosignedBy(checkpointOf(entries, stranger), witness)],
    ['cosigned_refused', cosignedBy(checkpointOf(entries.slice(0, 200), twin), witness)],
    ['cosigned_refused', 'no checkpoint\n'],
    ['cosigned_refused', Uint8Array.of(0xff, 0xfe)],
    ['rolled_back', cosignedBy(checkpointOf(more), witness)],
    ['forked', cosignedBy(checkpointOf(altered), witness)],
  ];
  for (const options of [{}, { witnesses: [witness.vkey] }]) {
    for (const [kind, note] of cases) {
      const { found, words } = await verified(t, note, options);
      assert.equal(found, kind, words);
      assert.match(words, /^NOT VERIFIED: .*cosigned/);
    }
  }
});

test('an export is written with the cosigned checkpoint that is given, and refuses one of another log', async (t) => {
  const room = mkdtempSync(join(tmpdir(), 'cosigned-'));
  t.after(() => rmSync(room, { recursive: true, force: true }));
  const directory = join(room, 'export');
  const source = { vkey: log.vkey, checkpoint: checkpointOf(entries), bundles: [encodeBundle(entries)] };
  const stranger = makeKey('gw.example/org-2', 'ed25519');
  const foreign = checkpointOf(entries, stranger);
  await assert.rejects(writeExport(directory, { ...source, cosigned: foreign }), { code: 'invalid_request' });
  const cosigned = cosignedBy(beginning, witness);
  for (const _again of [1, 2]) await writeExport(directory, { ...source, cosigned });
  const result = await verifyDirectory(directory, { witnesses: [witness.vkey] });
  assert.equal(result.ok && result.cosignedSize, 200);
});
