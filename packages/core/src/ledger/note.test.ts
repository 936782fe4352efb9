// Tests signed notes against published examples and an independent generator.

import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, hash, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  parseDecimal,
  signCheckpoint,
} from './checkpoint.ts';
import { checkCosignature, cosign } from './cosignature.ts';
import { toBase64 } from './encoding.ts';
import { parseLogPolicy, quorumMet } from './log-policy.ts';
import {
  checkNote,
  formatNote,
  formatSignature,
  formatVerifierKey,
  isKeyName,
  makeVerifierKey,
  maxNoteSignatures,
  parseNote,
  parseVerifierKey,
  signNote,
  type VerifierKey,
} from './note.ts';
import type { Verifying } from './primitives.ts';

const deps: Verifying = {
  sha256: (data) => hash('sha256', data, 'buffer'),
  utf8: (text) => Buffer.from(text),
  verifyEd25519: (publicKey, message, signature) => {
    const x = Buffer.from(publicKey).toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return verify(null, message, key, signature);
  },
};

/** The key pair of a seed of 32 equal bytes, as the samples have it. */
function keyOf(seedByte: number, name: string, type: 'ed25519' | 'cosignature') {
  const der = Buffer.concat([
    Buffer.from('302e020100300506032b657004220420', 'hex'),
    Buffer.alloc(32, seedByte),
  ]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return {
    key: makeVerifierKey(deps, name, type, Uint8Array.from(Buffer.from(x, 'base64url'))),
    sign: (message: Uint8Array) => Uint8Array.from(sign(null, message, privateKey)),
  };
}

function parsed(vkey: string): VerifierKey {
  const key = parseVerifierKey(deps, vkey);
  assert.ok(key !== undefined);
  return key;
}

const sample = (name: string) =>
  readFileSync(new URL(`../../../../tests/vectors/log-1000/${name}`, import.meta.url), 'utf8');

const exampleKey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const exampleNote =
  'This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
const log = keyOf(7, 'gateway.example/audit/org-1', 'ed25519');
const witness = keyOf(9, 'witness.example/w1', 'cosignature');

test('the published example note verifies and reads back to its own text', () => {
  const key = parsed(exampleKey);
  const note = parseNote(exampleNote);
  assert.ok(note !== undefined);
  assert.equal(formatNote(note), exampleNote);
  assert.equal(formatVerifierKey(key), exampleKey);
  assert.equal(checkNote(deps, note, key), 'valid');
  assert.equal(checkNote(deps, { ...note, text: 'This is another message.\n' }, key), 'invalid');
});

test('our keys, checkpoint and cosignature are byte for byte those of the independent generator', () => {
  assert.equal(formatVerifierKey(log.key), sample('vkey').trim());
  assert.equal(formatVerifierKey(witness.key), sample('witness.vkey').trim());
  const opened = openCheckpoint(deps, sample('checkpoint'), log.key);
  assert.ok(opened.ok);
  const text = signCheckpoint(deps.utf8, log.key, opened.signed.checkpoint, log.sign);
  const line = cosign(deps.utf8, witness.key, 1763769600, opened.signed.note.text, witness.sign);
  assert.equal(text + formatSignature(line), sample('checkpoint'));
  assert.deepEqual(checkCosignature(deps, opened.signed.note, witness.key), {
    state: 'valid',
    cosignature: { witness: 'witness.example/w1', time: 1763769600 },
  });
});

test('a key text whose id, type or length does not fit is refused', () => {
  for (const text of [
    exampleKey.replace('530d903a', '530d903b'),
    exampleKey.replace('530d903a', '530D903A'),
    exampleKey.replace('example.com/foo', 'example.com/fop'),
    exampleKey.slice(0, -4),
    `${exampleKey}\n`,
    exampleKey.replace('+Ae', '+Ce'),
    '',
    '+',
  ]) {
    assert.equal(parseVerifierKey(deps, text), undefined, text);
  }
});

test('a name with a space of any kind or a plus sign names no key', () => {
  for (const name of [
    '',
    'a b',
    'a+b',
    'a\u00a0b',
    'a\u2003b',
    'a\tb',
    'a\u3000',
    'a\u0000b',
    '\ud800',
    'a\u0085b',
  ]) {
    assert.ok(!isKeyName(name), JSON.stringify(name));
  }
  assert.ok(isKeyName('gateway.example/audit/org-1'));
});

test('a note with one changed character never verifies', () => {
  const key = parsed(exampleKey);
  fc.assert(
    fc.property(fc.nat(exampleNote.length - 1), fc.constantFrom('A', ' ', '\n', '=', 'é', ''), (at, put) => {
      const changed = exampleNote.slice(0, at) + put + exampleNote.slice(at + 1);
      if (changed === exampleNote) return;
      const note = parseNote(changed);
      assert.ok(note === undefined || checkNote(deps, note, key) !== 'valid', JSON.stringify(changed));
    }),
    { numRuns: 1000 },
  );
});

test('signatures of strangers are passed over, but a false one of a known key spoils the note', () => {
  const note = parseNote(exampleNote);
  assert.ok(note !== undefined);
  const stranger = keyOf(1, 'example.com/foo', 'ed25519');
  const strange = { name: stranger.key.name, id: stranger.key.id, payload: new Uint8Array(64) };
  const [good] = note.signatures;
  assert.ok(good !== undefined);
  const many = { ...note, signatures: [...Array.from({ length: 16 }, () => strange), good] };
  const reread = parseNote(formatNote(many));
  assert.ok(reread !== undefined);
  assert.equal(checkNote(deps, reread, parsed(exampleKey)), 'valid');
  const bad = { ...good, payload: good.payload.map((byte, i) => (i === 5 ? byte ^ 1 : byte)) };
  assert.equal(checkNote(deps, { ...note, signatures: [good, bad] }, parsed(exampleKey)), 'invalid');
  assert.equal(checkNote(deps, { ...note, signatures: [strange] }, parsed(exampleKey)), 'absent');
});

test('what a witness signs without a time makes no note of its log valid', () => {
  const text = 'witness.example/w1\n';
  const payload = witness.sign(deps.utf8(text));
  const note = { text, signatures: [{ name: witness.key.name, id: witness.key.id, payload }] };
  assert.equal(checkNote(deps, note, witness.key), 'absent');
});

test('a note of as many signatures as may stand is read, and one more is not', () => {
  const [head = '', line = ''] = exampleNote.split('\n\n');
  const signed = (count: number) => parseNote(`${head}\n\n${line.repeat(count)}`);
  assert.equal(signed(maxNoteSignatures)?.signatures.length, maxNoteSignatures);
  assert.equal(signed(maxNoteSignatures + 1), undefined);
});

test('notes that are malformed, unsigned or too large are not read', () => {
  for (const text of [
    '',
    'text\n',
    'text\n\n',
    exampleNote.slice(0, -1),
    exampleNote.replace('\u2014', '-'),
    exampleNote.replace('message', 'mess\u0007age'),
    `${exampleNote}\n`,
    `x${'y'.repeat(70_000)}${exampleNote}`,
  ]) {
    assert.equal(parseNote(text), undefined, JSON.stringify(text.slice(0, 80)));
  }
});

test('a checkpoint is read only in the form in which it is written', () => {
  const root = toBase64(new Uint8Array(32));
  assert.equal(
    formatCheckpoint({ origin: 'o', size: 0, root: new Uint8Array(32), extensions: ['x'] }),
    `o\n0\n${root}\nx\n`,
  );
  for (const text of [
    `o\n01\n${root}\n`,
    `o\n-1\n${root}\n`,
    `o\n9007199254740992\n${root}\n`,
    `\n1\n${root}\n`,
    `o\n1\n${root.slice(4)}\n`,
    `o\n1\n${root}\n\n`,
    `o\n1\n${root}`,
    `o\n1\n`,
  ]) {
    assert.equal(parseCheckpoint(text), undefined, JSON.stringify(text));
  }
  assert.equal(parseDecimal('9007199254740991'), 9007199254740991);
});

test('a checkpoint under another origin or by another key is refused by name', () => {
  const other = keyOf(8, 'gateway.example/audit/org-1', 'ed25519');
  const renamed = keyOf(7, 'gateway.example/audit/org-2', 'ed25519');
  assert.deepEqual(openCheckpoint(deps, sample('checkpoint'), other.key), {
    ok: false,
    problem: 'signature_missing',
  });
  assert.deepEqual(openCheckpoint(deps, sample('checkpoint'), renamed.key), {
    ok: false,
    problem: 'origin_differs',
  });
  const text = formatCheckpoint({
    origin: `${log.key.name}/2`,
    size: 0,
    root: new Uint8Array(32),
    extensions: [],
  });
  const below = formatNote({ text, signatures: [signNote(deps.utf8, log.key, text, log.sign)] });
  assert.deepEqual(openCheckpoint(deps, below, log.key), { ok: false, problem: 'origin_differs' });
  const edited = sample('checkpoint').replace('\n1000\n', '\n1001\n');
  assert.deepEqual(openCheckpoint(deps, edited, log.key), { ok: false, problem: 'signature_invalid' });
});

test('a cosignature does not hold for another time, text or key', () => {
  const opened = openCheckpoint(deps, sample('checkpoint'), log.key);
  assert.ok(opened.ok);
  const { note } = opened.signed;
  const other = keyOf(8, 'witness.example/w1', 'cosignature');
  assert.equal(checkCosignature(deps, note, other.key).state, 'absent');
  const signatures = note.signatures.map(({ name, id, payload }) => ({
    name,
    id,
    payload: payload.length === 72 ? payload.with(7, (payload[7] ?? 0) ^ 1) : payload,
  }));
  assert.equal(checkCosignature(deps, { ...note, signatures }, witness.key).state, 'invalid');
  assert.equal(checkCosignature(deps, { ...note, text: `${note.text}x\n` }, witness.key).state, 'invalid');
});

test('a policy file is read, and its quorum counts groups of groups', () => {
  const names = ['a', 'b', 'c'].map((name, i) =>
    formatVerifierKey(keyOf(20 + i, `w.example/${name}`, 'cosignature').key),
  );
  const [a = '', b = '', c = ''] = names;
  const source = [
    '# who must agree',
    `log ${formatVerifierKey(log.key)} https://gateway.example/log  # ours`,
    `witness a ${a}`,
    `witness b ${b} https://b.example`,
    `witness c ${c}`,
    'group ab any a b',
    'group both all ab c',
    'quorum both',
    '',
  ];
  const read = parseLogPolicy(deps, source.join('\n'));
  assert.ok(read.ok, JSON.stringify(read));
  assert.equal(quorumMet(read.policy, new Set(['a', 'b'])), false);
  assert.equal(quorumMet(read.policy, new Set(['b', 'c'])), true);
  assert.equal(quorumMet(read.policy, new Set(['both'])), false);
  for (const [line, text] of [
    [6, 'group ab 3 a b'],
    [6, 'group ab any a d'],
    [6, 'group a any a b'],
    [8, 'quorum nobody'],
    [3, `witness a ${formatVerifierKey(log.key)}`],
    [2, 'log x'],
    [1, 'trust me'],
  ] as const) {
    const broken = parseLogPolicy(deps, source.with(line - 1, text).join('\n'));
    assert.equal(broken.ok, false, text);
    if (!broken.ok) assert.equal(broken.line, line, text);
  }
});
