// Tries what an export and a receipt are held to: several keys of a log, witnesses that are asked for, and policies.

import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { cosign } from '@countersign/core/ledger/cosignature';
import { formatSignature, formatVerifierKey, makeVerifierKey } from '@countersign/core/ledger/note';
import { origin } from '../replay/sample-changes.ts';
import { signSample } from '../replay/sample-export.ts';
import { anotherKey, verifierKeyOf } from '../replay/sample-key.ts';
import { logText, makeLog } from '../replay/sample-log.ts';
import { describeReceipt, describeVerification } from './describe-verification.ts';
import { nodeVerifying } from './node-verifying.ts';
import type { TrustOptions } from './trusted.ts';
import { verifyDirectory } from './verify-directory.ts';
import { verifyReceipt } from './verify-receipt.ts';
import { writeExport } from './write-export.ts';

const texts = makeLog().entries.map(logText);
const signed = signSample(texts);
const record = signed.entries[3] ?? new Uint8Array(0);

function makeWitness(name: string, key: KeyObject = generateKeyPairSync('ed25519').privateKey) {
  const { publicKey } = verifierKeyOf(key, 'x');
  const verifier = makeVerifierKey(nodeVerifying, name, 'cosignature', publicKey);
  const body = signed.checkpoint.slice(0, signed.checkpoint.indexOf('\n\n') + 1);
  const line = (): string =>
    formatSignature(
      cosign(nodeVerifying.utf8, verifier, 1_763_769_600, body, (message) => sign(null, message, key)),
    );
  return { name, key, vkey: formatVerifierKey(verifier), line };
}

const first = makeWitness('witness.example/1');
const second = makeWitness('witness.example/2');
const cosigned = signed.checkpoint + first.line();

/** What became of the export and of a receipt, with the same cosignatures, held to the same. */
async function heldTo(t: TestContext, options: TrustOptions, checkpoint = cosigned) {
  const room = mkdtempSync(join(tmpdir(), 'trusted-'));
  t.after(() => rmSync(room, { recursive: true, force: true }));
  const directory = join(room, 'export');
  await writeExport(directory, { ...signed, checkpoint });
  const whole = await verifyDirectory(directory, options);
  const proof = signed.receipt(3).replace(signed.checkpoint, checkpoint);
  const one = verifyReceipt(proof, record, options);
  return {
    whole: whole.ok ? 'verified' : whole.finding.kind,
    one: one.ok ? 'verified' : one.problem,
    words: [describeVerification(whole), describeReceipt(one)],
  };
}

const both = `witness a ${first.vkey}\nwitness b ${second.vkey}\n`;
const log = `log ${signed.vkey}\n`;

test('a witness that is asked for and has cosigned is told of, one that has not is not passed over', async (t) => {
  const { vkey } = signed;
  const found = await heldTo(t, { vkey, witnesses: [first.vkey] });
  assert.deepEqual([found.whole, found.one], ['verified', 'verified']);
  for (const text of found.words) assert.match(text, /witness `witness.example\/1` saw this tree/);
  const missed = await heldTo(t, { vkey, witnesses: [first.vkey, second.vkey] });
  assert.deepEqual([missed.whole, missed.one], ['cosignature_missing', 'cosignature_missing']);
  for (const text of missed.words) assert.match(text, /^NOT VERIFIED: .*witness.example\/2/);
});

test('a receipt is held to a policy as an export is, and who has not cosigned is named', async (t) => {
  const met = await heldTo(t, { policy: `${log}${both}group any any a b\nquorum any\n` });
  assert.deepEqual([met.whole, met.one], ['verified', 'verified']);
  for (const text of met.words) assert.match(text, /\nnot cosigned by witness `witness.example\/2`/);
  const unmet = await heldTo(t, { policy: `${log}${both}group all all a b\nquorum all\n` });
  assert.deepEqual([unmet.whole, unmet.one], ['quorum_not_met', 'quorum_not_met']);
  for (const text of unmet.words) assert.match(text, /^NOT VERIFIED: too few witnesses have cosigned: a$/);
});

test('one key under two names is one witness, and a policy that gives it both is refused', async (t) => {
  const twin = makeWitness('witness.example/twin', first.key);
  const policy = `${log}witness a ${first.vkey}\nwitness b ${twin.vkey}\ngroup g 2 a b\nquorum g\n`;
  const found = await heldTo(t, { policy }, cosigned + twin.line());
  assert.deepEqual([found.whole, found.one], ['input_unusable', 'input_unusable']);
  for (const text of found.words) assert.match(text, /line 3: this key is that of witness `a`/);
});

test('of a log with two keys the one that signed counts, in whatever order they stand', async (t) => {
  const former = `log ${formatVerifierKey(verifierKeyOf(anotherKey(), origin))}\n`;
  for (const policy of [`${former}${log}quorum none\n`, `${log}${former}quorum none\n`]) {
    const found = await heldTo(t, { policy });
    assert.deepEqual([found.whole, found.one], ['verified', 'verified']);
  }
  const only = await heldTo(t, { policy: `${former}quorum none\n` });
  assert.deepEqual([only.whole, only.one], ['signature_missing', 'signature_missing']);
});

test('a key that the policy does not name is refused beside it', async (t) => {
  const other = `log ${formatVerifierKey(verifierKeyOf(anotherKey(), origin))}\nquorum none\n`;
  const found = await heldTo(t, { vkey: signed.vkey, policy: other });
  assert.deepEqual([found.whole, found.one], ['input_unusable', 'input_unusable']);
  for (const text of found.words) assert.match(text, /vkey.*the policy does not name this key/);
  const named = await heldTo(t, { vkey: signed.vkey, policy: `${log}quorum none\n` });
  assert.deepEqual([named.whole, named.one], ['verified', 'verified']);
});
