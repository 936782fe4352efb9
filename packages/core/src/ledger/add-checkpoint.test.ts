// Tests what a log and a witness say to each other: the request's form, and that no answer is believed unread.

import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, hash, sign, verify } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Asked, formatAddCheckpoint, readWitnessAnswer, type WitnessAnswer } from './add-checkpoint.ts';
import { parseSignedCheckpoint } from './checkpoint.ts';
import { cosign } from './cosignature.ts';
import { parseWitnessList } from './log-policy.ts';
import { formatSignature, formatVerifierKey, makeVerifierKey } from './note.ts';
import type { Verifying } from './primitives.ts';
import { whole } from './sample-log.support.ts';

const deps: Verifying = {
  sha256: (data) => hash('sha256', data, 'buffer'),
  utf8: (text) => Buffer.from(text),
  verifyEd25519: (publicKey, message, signature) => {
    const x = Buffer.from(publicKey).toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return verify(null, message, key, signature);
  },
};

function makeWitness(name: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = Uint8Array.from(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
  const key = makeVerifierKey(deps, name, 'cosignature', raw);
  const line = (time: number, text = signed.note.text): string =>
    formatSignature(cosign(deps.utf8, key, time, text, (message) => sign(null, message, privateKey)));
  return { key, line };
}

const signed = parseSignedCheckpoint(whole.checkpoint) ?? assert.fail();
const now = 1_763_769_600;
const witness = makeWitness('witness.example/w1');
const other = makeWitness('witness.example/w2');
const asked: Asked = { note: signed.note, oldSize: 20, size: 700, witness: witness.key, now };

const answered = (
  status: number,
  body: string,
  contentType: string | undefined,
  to: Partial<Asked> = {},
): WitnessAnswer => readWitnessAnswer(deps, { status, contentType, body }, { ...asked, ...to });
const given = (body: string): WitnessAnswer => answered(200, body, 'text/plain');

test('a request has the old size, the hashes and the checkpoint, as the protocol writes them', () => {
  const hashes = [new Uint8Array(32), new Uint8Array(32).fill(1)];
  const text = formatAddCheckpoint({ oldSize: 20, proof: hashes, checkpoint: whole.checkpoint });
  const [size, first, second, empty, ...rest] = text.split('\n');
  assert.deepEqual([size, empty], ['old 20', '']);
  assert.equal(first, `${'A'.repeat(43)}=`);
  assert.equal(Buffer.from(second ?? '', 'base64')[31], 1);
  assert.equal(rest.join('\n'), whole.checkpoint);
  assert.equal(formatAddCheckpoint({ oldSize: 0, proof: [], checkpoint: 'x' }), 'old 0\n\nx');
  const many = Array.from({ length: 64 }, () => new Uint8Array(32));
  assert.throws(() => formatAddCheckpoint({ oldSize: 1, proof: many, checkpoint: 'x' }), RangeError);
  assert.throws(() => formatAddCheckpoint({ oldSize: -1, proof: [], checkpoint: 'x' }), RangeError);
});

test('a cosignature is believed when it is by the key of the witness that was asked, over this text, of now', () => {
  const good = given(other.line(now) + witness.line(now - 5) + witness.line(now));
  assert.ok(good.kind === 'cosigned');
  assert.equal(good.cosignature.time, now);
  assert.equal(formatSignature(good.signature), witness.line(now));
  const impostor = makeWitness('witness.example/w1');
  const oneBit = witness.line(now).replace(/(.)=\n$/, (_all, last) => `${last === 'A' ? 'E' : 'A'}=\n`);
  const refused: readonly (readonly [string, string])[] = [
    ['', 'no line at all'],
    [witness.line(now).trimEnd(), 'a line that does not end'],
    [other.line(now), 'another key'],
    [impostor.line(now), 'another key under the same name'],
    [oneBit, 'a changed bit'],
    [witness.line(now, `${signed.note.text}more\n`), 'another text'],
    [witness.line(now) + witness.line(now, 'x\n'), 'a false line beside a good one'],
    [witness.line(now + 601), 'a time to come'],
    [witness.line(now - 601), 'a time long gone'],
    [`${witness.line(now)}<html>\n`, 'words'],
    [witness.line(now).repeat(65), 'more lines than a note may have'],
  ];
  for (const [body, why] of refused) assert.equal(given(body).kind, 'unusable', why);
});

test('each other answer of the protocol has its meaning', () => {
  const size = 'text/x.tlog.size';
  assert.deepEqual(answered(409, '10\n', size), { kind: 'other_size', size: 10 });
  assert.deepEqual(answered(409, '900\n', `${size}; charset=utf-8`), { kind: 'other_size', size: 900 });
  // The same size as was sent says nothing new, unless it is the checkpoint's own: then the roots differ.
  assert.equal(answered(409, '20\n', size).kind, 'unusable');
  assert.equal(answered(409, '700\n', size, { oldSize: 700 }).kind, 'forked');
  assert.equal(answered(409, '', undefined, { oldSize: 700 }).kind, 'forked');
  for (const body of ['10', '010\n', '-1\n', '1e3\n', '10\n\n', '', '9007199254740993\n'])
    assert.equal(answered(409, body, size).kind, 'unusable', JSON.stringify(body));
  assert.equal(answered(409, '10\n', 'text/plain').kind, 'unusable');
  assert.equal(answered(422, '', undefined).kind, 'forked');
  assert.equal(answered(404, '', undefined).kind, 'unknown_log');
  assert.equal(answered(403, '', undefined).kind, 'signature_refused');
  for (const status of [201, 400, 418, 429, 500, 503])
    assert.deepEqual(answered(status, witness.line(now), undefined), { kind: 'refused', status });
});

test('whatever a witness answers, it makes nothing throw and only its own key makes it a cosignature', () => {
  const status = fc.constantFrom(200, 400, 403, 404, 409, 422, 500);
  const type = fc.constantFrom(undefined, 'text/x.tlog.size', 'text/plain');
  const body = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.nat().map((n) => `${n}\n`),
    fc.constant(other.line(now)),
  );
  fc.assert(
    fc.property(status, type, body, (code, contentType, text) => {
      assert.notEqual(answered(code, text, contentType).kind, 'cosigned');
    }),
  );
});

test('a list of witnesses needs neither a log nor a quorum, and may have both', () => {
  const line = `witness w1 ${formatVerifierKey(witness.key)} https://w1.example\n`;
  const alone = parseWitnessList(deps, `# ours\n${line}`);
  assert.ok(alone.ok);
  assert.deepEqual([alone.policy.logs.length, alone.policy.quorum], [0, undefined]);
  assert.equal(alone.policy.witnesses[0]?.url, 'https://w1.example');
  const whole = parseWitnessList(deps, `${line}group all all w1\nquorum all\n`);
  assert.equal(whole.ok ? whole.policy.quorum : undefined, 'all');
  for (const text of ['', '# nobody\n', `${line}quorum w1\nquorum none\n`, `${line}witness w2 x\n`])
    assert.equal(parseWitnessList(deps, text).ok, false, text);
});
