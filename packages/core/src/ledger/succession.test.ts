// Tests the note by which a closed log's key hands over: it says one thing, and whatever is changed in it is refused.

import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, hash, type KeyObject, sign, verify } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseSignedCheckpoint } from './checkpoint.ts';
import { formatNote, formatVerifierKey, makeVerifierKey, parseNote } from './note.ts';
import type { Verifying } from './primitives.ts';
import { type NoteSigner, openSuccession, signSuccession } from './succession.ts';

const deps: Verifying = {
  sha256: (data) => Uint8Array.from(hash('sha256', data, 'buffer')),
  utf8: (text) => Buffer.from(text),
  verifyEd25519: (publicKey, message, signature) => {
    const x = Buffer.from(publicKey).toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return verify(null, message, key, signature);
  },
};

function signer(name: string, key: KeyObject = generateKeyPairSync('ed25519').privateKey): NoteSigner {
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  return {
    key: makeVerifierKey(deps, name, 'ed25519', Uint8Array.from(Buffer.from(x, 'base64url'))),
    sign: (message) => Uint8Array.from(sign(null, message, key)),
  };
}

const former = signer('gateway.example/org_1');
const next = signer('gateway.example/org_1/2');
const ended = { size: 1_000, root: new Uint8Array(32).fill(3) };
const note = signSuccession(deps.utf8, ended, former, next);

/** The same text with the signatures that are kept of it. */
function signedBy(...names: readonly string[]): string {
  const parsed = parseNote(note);
  assert.ok(parsed !== undefined);
  const signatures = parsed.signatures.filter(({ name }) => names.includes(name));
  return formatNote({ ...parsed, signatures });
}

test('it names both logs with their keys, and where the former one ended', () => {
  const opened = openSuccession(deps, note, next.key);
  assert.ok(opened.ok);
  assert.deepEqual(opened.succession, { former: { key: former.key, ...ended }, next: next.key });
  assert.deepEqual(note.split('\n').slice(0, 8), [
    'countersign/succession/v1',
    'gateway.example/org_1',
    formatVerifierKey(former.key),
    '1000',
    Buffer.from(ended.root).toString('base64'),
    'gateway.example/org_1/2',
    formatVerifierKey(next.key),
    '',
  ]);
  assert.equal(parseSignedCheckpoint(note), undefined, 'nobody takes it for a checkpoint');
});

test('it needs the signatures of both keys, and is for one key of one log', () => {
  const problem = (text: string, key = next.key) => {
    const opened = openSuccession(deps, text, key);
    return opened.ok ? undefined : opened.problem;
  };
  assert.equal(problem(signedBy(next.key.name)), 'not_signed_by_former');
  assert.equal(problem(signedBy(former.key.name)), 'not_signed_by_this');
  assert.equal(problem(note, signer(next.key.name).key), 'hands_over_elsewhere');
  assert.equal(problem(note, signer('gateway.example/org_2').key), 'hands_over_elsewhere');
  const forged = signSuccession(deps.utf8, ended, { ...former, sign: signer('x').sign }, next);
  assert.equal(problem(forged), 'not_signed_by_former');
  const itself = signSuccession(deps.utf8, ended, signer(next.key.name), next);
  assert.equal(problem(itself), 'malformed', 'no log goes on from itself');
  for (const text of [
    '',
    'countersign/succession/v1\n\n',
    note.replace('v1', 'v2'),
    note.replace('1000', '01000'),
  ])
    assert.equal(problem(text), 'malformed');
});

test('one character that is changed anywhere makes it nothing', () => {
  fc.assert(
    fc.property(fc.nat(note.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
      fc.pre(note[at] !== character);
      assert.equal(
        openSuccession(deps, note.slice(0, at) + character + note.slice(at + 1), next.key).ok,
        false,
      );
    }),
    { numRuns: 300 },
  );
});
