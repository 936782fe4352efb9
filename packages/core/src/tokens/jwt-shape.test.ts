// Owns the claims about which texts are read as signed tokens.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromBase64url, toBase64url } from './base64url.ts';
import { type JwtRefusal, readJwt } from './jwt-shape.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array): string => utf8.decode(bytes);
const encode = (text: string): string => Buffer.from(text).toString('base64url');
const signature = encode('a signature');
const claims = encode('{"sub":"alice"}');

function compact(header: string, payload = '{"sub":"alice"}', sign = signature): string {
  return `${encode(header)}.${encode(payload)}.${sign}`;
}

function reasonOf(text: string): JwtRefusal | 'read' {
  const jwt = readJwt(text, decodeUtf8);
  return jwt.ok ? 'read' : jwt.reason;
}

test('base64url agrees with Node and reads back what it writes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = toBase64url(bytes);
      assert.equal(text, Buffer.from(bytes).toString('base64url'));
      assert.deepEqual(fromBase64url(text), bytes);
    }),
  );
});

test('a byte string has one text: whatever decodes encodes to the same text', () => {
  const character = fc.constantFrom(...'ABYZabyz0189-_+/=. \n\u00e9');
  fc.assert(
    fc.property(fc.array(character, { maxLength: 12 }), (characters) => {
      const text = characters.join('');
      const bytes = fromBase64url(text);
      assert.equal(bytes === undefined, Buffer.from(text, 'base64url').toString('base64url') !== text);
    }),
  );
});

test('a well-formed token is read into header, claims, signing input and signature', () => {
  const text = compact('{"alg":"RS256","kid":"k1","typ":"JWT","x5t":"ignored"}');
  const jwt = readJwt(text, decodeUtf8);
  assert.deepEqual(jwt, {
    ok: true,
    header: { alg: 'RS256', kid: 'k1', typ: 'jwt' },
    claims: { sub: 'alice' },
    signingInput: text.slice(0, text.lastIndexOf('.')),
    signature: Uint8Array.from(Buffer.from('a signature')),
  });
});

test('the types of an access token are accepted in any case, others refused', () => {
  for (const typ of ['JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt']) {
    assert.equal(reasonOf(compact(JSON.stringify({ alg: 'ES256', typ }))), 'read', typ);
  }
  for (const typ of ['secevent+jwt', 'dpop+jwt', 'logout+jwt', 'JWS', '', 1, null, ['JWT']]) {
    assert.equal(reasonOf(compact(JSON.stringify({ alg: 'ES256', typ }))), 'type', JSON.stringify(typ));
  }
});

test('no token names an algorithm that anyone could sign with, or that is unknown', () => {
  const algs = ['none', 'None', 'NONE', 'nOnE', '', 'HS256', 'HS384', 'HS512', 'rs256', 'ES256K', 'RSA-OAEP'];
  for (const alg of [...algs, 'toString', '__proto__', 1, null, ['RS256']]) {
    assert.equal(reasonOf(compact(JSON.stringify({ alg }))), 'algorithm', JSON.stringify(alg));
  }
  assert.equal(reasonOf(compact('{}')), 'algorithm');
});

test('a header that brings its own key or a critical extension is refused', () => {
  for (const name of ['crit', 'b64', 'jku', 'jwk', 'x5u', 'x5c']) {
    for (const value of [null, '', 'https://example.com/keys', { kty: 'RSA' }, ['exp'], false]) {
      const header = JSON.stringify({ alg: 'RS256', [name]: value });
      assert.equal(reasonOf(compact(header)), 'header_parameter', header);
    }
  }
});

test('keys that repeat, in any spelling and at any depth, are refused', () => {
  assert.equal(reasonOf(compact('{"alg":"RS256","alg":"none"}')), 'bad_header');
  assert.equal(reasonOf(compact('{"alg":"RS256","\\u0061lg":"none"}')), 'bad_header');
  const header = '{"alg":"RS256"}';
  assert.equal(reasonOf(compact(header, '{"sub":"alice","sub":"bob"}')), 'bad_claims');
  assert.equal(reasonOf(compact(header, '{"sub":"alice","s\\u0075b":"bob"}')), 'bad_claims');
  assert.equal(reasonOf(compact(header, '{"a":{"roles":[],"roles":["owner"]}}')), 'bad_claims');
  assert.equal(reasonOf(compact(header, '{"__proto__":{"sub":"bob"}}')), 'bad_claims');
});

test('header and claims are JSON objects in UTF-8', () => {
  const header = '{"alg":"RS256"}';
  for (const text of ['', '[]', 'null', '"x"', '1', '{', '{"a":1}x', '\ufeff{"a":1}', '{"a":NaN}']) {
    assert.equal(reasonOf(compact(text)), 'bad_header', text);
    assert.equal(reasonOf(compact(header, text)), 'bad_claims', text);
  }
  const invalid = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString('base64url');
  assert.equal(reasonOf(`${encode(header)}.${invalid}.${signature}`), 'bad_claims');
  const deep = `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`;
  assert.equal(reasonOf(compact(header, deep)), 'bad_claims');
});

test('other spellings of the same bytes are refused: padding, the other alphabet, spaces, trailing bits', () => {
  const header = encode('{"alg":"RS256"}');
  assert.equal(reasonOf(`${header}.${claims}.${signature}`), 'read');
  // `QQ` is the canonical text of one byte; `QR`, `QS` and `QT` decode to it in lenient decoders.
  assert.equal(reasonOf(`${header}.${claims}.QQ`), 'read');
  for (const other of ['QR', 'QT', 'QQ==', 'Q', 'Q Q', 'QQ\n', 'Q+', 'Q/', 'Qé']) {
    assert.equal(reasonOf(`${header}.${claims}.${other}`), 'bad_base64url', other);
  }
  assert.equal(reasonOf(`${header}=.${claims}.${signature}`), 'bad_base64url');
  assert.equal(reasonOf(`${header}.${claims}=.${signature}`), 'bad_base64url');
});

test('a token has three parts, a signature and a bounded length', () => {
  const header = encode('{"alg":"RS256"}');
  for (const text of ['', '.', header, `${header}.${claims}`, `${header}.${claims}.a.b.c`]) {
    assert.equal(reasonOf(text), 'not_three_parts', text);
  }
  assert.equal(reasonOf(`${header}.${claims}.${signature}.`), 'not_three_parts');
  assert.equal(reasonOf(`${header}.${claims}.`), 'unsigned');
  assert.equal(reasonOf('..'), 'bad_header');
  const long = compact('{"alg":"RS256"}', JSON.stringify({ sub: 'a'.repeat(16_000) }));
  assert.equal(reasonOf(long), 'too_long');
  assert.equal(reasonOf(compact('{"alg":"RS256"}', JSON.stringify({ sub: 'a'.repeat(12_000) }))), 'read');
});

test('a key id is a short text', () => {
  for (const kid of ['', 1, null, ['k'], {}, 'k'.repeat(513)]) {
    assert.equal(reasonOf(compact(JSON.stringify({ alg: 'RS256', kid }))), 'bad_header', JSON.stringify(kid));
  }
});

test('reading never throws, and a refusal never repeats the text', () => {
  const part = fc.oneof(fc.string(), fc.json().map(encode), fc.base64String());
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
      const jwt = readJwt(parts.join('.'), decodeUtf8);
      if (!jwt.ok) for (const p of parts) assert.ok(p.length < 12 || !jwt.message.includes(p));
    }),
  );
});
