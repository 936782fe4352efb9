// Owns the claims about which texts are recognised as secrets, and at what cost.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { makeId } from '@countersign/core/ids';
import { formatKey } from '@countersign/core/tokens/key-format';
import { isSecretName, scrubText } from './scrub-text.ts';

const key = formatKey(makeId('key', 1_760_000_000_000, randomBytes(10)), randomBytes(32));
const part = Buffer.from('{"sub":"alice"}').toString('base64url');
const jwt = `${part}.${part}.${randomBytes(64).toString('base64url')}`;

test('what is no secret stays as it was', () => {
  const plain = [
    'the bearer token is missing; send one',
    'basic authentication is not supported',
    'listening on http://127.0.0.1:7070',
    'POST /v1/chat/completions 200 in 12 ms',
    'provider `openai` answered 429: try again in 20s',
    'key_01jv8m3q5x7z9b1d3f5h7k9m1n was revoked by usr_01jv8m3q5x7z9b1d3f5h7k9m1n',
    'req_01jv8m3q5x7z9b1d3f5h7k9m1n model=gpt-5.1-mini tokens=120 cost: 0.002',
    'https://example.com/models?limit=10&cursor=abc',
    'task-management-service and disk-usage-report-2026',
    'ENOENT: no such file or directory, open `config.json`',
  ];
  for (const text of plain) assert.equal(scrubText(text), text);
});

test('a secret that the cut would divide does not leave in part', () => {
  for (const at of [8 * 1024, 64 * 1024]) {
    for (let back = 1; back < key.length; back += 9) {
      const text = `${'word '.repeat(at / 5 + 1).slice(0, at - back - 1)} ${key} tail`;
      assert.doesNotMatch(scrubText(text), /csk_[0-9A-Za-z]/);
    }
  }
});

test('what the cut leaves of a secret does not leave either, when all before it shrinks', () => {
  const head = `eyJ${'a'.repeat(65_000)} `;
  for (let back = 1; back < 24; back += 1) {
    const text = `${head}${'.'.repeat(65_536 - head.length - back - 1)} AIzaSyCanary0123456789abcdefghijkl tail`;
    assert.doesNotMatch(scrubText(text), /AIza/, String(back));
  }
});

test('scrubbing takes linear time on hostile text', () => {
  const pieces = [
    'eyJ',
    'csk_',
    'sk-',
    ':// ',
    '://a:',
    '?key',
    'cookie ',
    '"password":"',
    '-----BEGIN PRIVATE KEY-----',
  ];
  for (const piece of [
    ...pieces,
    '\\',
    '"',
    ' ',
    'bearer ',
    'authorization',
    "token'",
    'a_token',
    '&a_',
    ', "',
  ]) {
    const started = performance.now();
    scrubText(piece.repeat(Math.ceil((64 * 1024) / piece.length)));
    assert.ok(performance.now() - started < 500, piece);
  }
});

test('names are told by their ends, in any spelling', () => {
  for (const name of ['token', 'accessToken', 'X-Auth-Token', 'id_token', 'COOKIE', 'signing-key']) {
    assert.equal(isSecretName(name), true, name);
  }
  for (const name of [
    'tokens',
    'inputTokens',
    'tokenIssuer',
    'keyId',
    'monkey',
    'passed',
    'cookieCount',
    '',
  ]) {
    assert.equal(isSecretName(name), false, name);
  }
});

test('a secret inside a named value takes the rest of the value with it', () => {
  for (const text of [`x-api-key: ${key}.canary`, `Authorization: ${jwt} canary`, `token=${key}/canary`]) {
    assert.doesNotMatch(scrubText(text), /canary/, text);
  }
});
