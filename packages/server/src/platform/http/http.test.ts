// Owns the claims about what is believed of a request's headers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clientAddress, compileTrustedProxies, isTrustedPeer } from './client-address.ts';
import { readCredentials } from './credentials.ts';
import { forwardableHeaders, headerValues, isNeverForwarded, isNeverHonoured } from './headers.ts';

const proxies = (hops: number) => compileTrustedProxies({ cidrs: ['10.0.0.0/8', 'fd00::/8'], hops });
const forwarded = (...values: readonly string[]): string[] =>
  values.flatMap((value) => ['X-Forwarded-For', value]);

test('a spoofed x-forwarded-for from an unlisted peer changes nothing', () => {
  assert.equal(clientAddress('203.0.113.9', forwarded('192.0.2.1'), proxies(1)), '203.0.113.9');
  assert.equal(clientAddress('203.0.113.9', forwarded('10.0.0.1'), proxies(1)), '203.0.113.9');
  const nobody = compileTrustedProxies({ cidrs: [], hops: 1 });
  assert.equal(clientAddress('127.0.0.1', forwarded('192.0.2.1'), nobody), '127.0.0.1');
});

test('from a listed peer the address is counted from the right at a fixed depth, whatever stands left of it', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.ipV4(), fc.string()), { maxLength: 4 }), (invented) => {
      const spoofed = [...invented, '192.0.2.1', '10.0.0.2'].join(', ');
      assert.equal(clientAddress('10.0.0.3', forwarded(spoofed), proxies(2)), '192.0.2.1');
      const lines = forwarded(invented.join(','), '192.0.2.1', '10.0.0.2');
      assert.equal(clientAddress('::ffff:10.0.0.3', lines, proxies(2)), '192.0.2.1');
    }),
  );
});

test('too few entries, or one that is no address, leave the peer its own', () => {
  assert.equal(clientAddress('10.0.0.3', forwarded('192.0.2.1'), proxies(2)), '10.0.0.3');
  assert.equal(clientAddress('10.0.0.3', [], proxies(1)), '10.0.0.3');
  for (const entry of ['unknown', '', '_hidden', 'example.com', '192.0.2.1.5', '192.0.2.1;x']) {
    assert.equal(clientAddress('10.0.0.3', forwarded(entry), proxies(1)), '10.0.0.3', entry);
  }
});

test('entries with ports, brackets or mapped IPv4 are read', () => {
  for (const entry of ['192.0.2.1:4711', '::ffff:192.0.2.1', '[::ffff:192.0.2.1]:80', ' 192.0.2.1 ']) {
    assert.equal(clientAddress('10.0.0.3', forwarded(entry), proxies(1)), '192.0.2.1', entry);
  }
  assert.equal(clientAddress('fd00::1', forwarded('[2001:DB8::1]:443'), proxies(1)), '2001:db8::1');
});

test('a connection without an address is unknown and never trusted', () => {
  assert.equal(clientAddress(undefined, forwarded('192.0.2.1'), proxies(1)), 'unknown');
  assert.equal(isTrustedPeer(undefined, proxies(1)), false);
  assert.equal(isTrustedPeer('::ffff:10.1.1.1', proxies(1)), true);
  assert.equal(isTrustedPeer('11.1.1.1', proxies(1)), false);
});

test('a bad range of proxies stops the start with its place', () => {
  assert.throws(
    () => compileTrustedProxies({ cidrs: ['10.0.0.0/8', 'proxy'], hops: 1 }),
    /trustedProxies\.1/,
  );
  assert.throws(() => compileTrustedProxies({ cidrs: [], hops: 0 }), /hops/);
});

test('identity headers that a proxy would set are neither believed nor passed on', () => {
  const spoofs = [
    'X-Forwarded-User',
    'X-Forwarded-Email',
    'X-Forwarded-Groups',
    'X-Forwarded-Client-Cert',
    'X-Forwarded-For',
    'X-Auth-Request-User',
    'X-Remote-User',
    'Remote-User',
    'X-MS-CLIENT-PRINCIPAL',
    'X-Goog-Authenticated-User-Email',
    'Cf-Access-Jwt-Assertion',
    'X-Amzn-Oidc-Data',
    'Tailscale-User-Login',
    'Forwarded',
    'X-Original-URL',
  ];
  for (const name of spoofs) {
    assert.equal(isNeverHonoured(name), true, name);
    assert.equal(isNeverForwarded(name), true, name);
    assert.equal(isNeverForwarded(name.replaceAll('-', '_')), true, name);
  }
});

test('credentials and framing never reach an upstream, and what clients need does', () => {
  const headers = [
    ...[
      'Authorization',
      'Bearer a',
      'X-Api-Key',
      'a',
      'api-key',
      'a',
      'x-goog-api-key',
      'a',
      'Cookie',
      'a=b',
    ],
    ...['Connection', 'close, X-Hop', 'X-Hop', '1', 'Transfer-Encoding', 'chunked', 'Host', 'example.com'],
    ...['X-Countersign-User', 'e.y.j', 'X-Countersign-Tags', 'a'],
    ...['Anthropic-Beta', 'one', 'anthropic-beta', 'two', 'Content-Type', 'application/json'],
    ...[
      'OpenAI-Organization',
      'o',
      'traceparent',
      't',
      'User-Agent',
      'client/1',
      'Accept',
      'text/event-stream',
    ],
  ];
  assert.deepEqual(forwardableHeaders(headers), [
    ...['Anthropic-Beta', 'one', 'anthropic-beta', 'two', 'Content-Type', 'application/json'],
    ...[
      'OpenAI-Organization',
      'o',
      'traceparent',
      't',
      'User-Agent',
      'client/1',
      'Accept',
      'text/event-stream',
    ],
  ]);
  assert.deepEqual(headerValues(headers, 'anthropic-beta'), ['one', 'two']);
});

test('each credential header is read, and the scheme in any case', () => {
  const expected = { kind: 'credential', text: 'csk_a' };
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer  ']) {
    assert.deepEqual(readCredentials(['Authorization', `${scheme} csk_a`]), expected);
  }
  for (const name of ['x-api-key', 'X-API-KEY', 'api-key', 'x-goog-api-key']) {
    assert.deepEqual(readCredentials(['Accept', '*/*', name, ' csk_a ']), expected, name);
  }
});

test('the same key twice is one credential, two different ones are a conflict in any pair and order', () => {
  const names = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'];
  const header = (name: string, key: string): string[] => [
    name,
    name === 'authorization' ? `Bearer ${key}` : key,
  ];
  for (const first of names) {
    for (const second of names) {
      const same = readCredentials([...header(first, 'csk_a'), ...header(second, 'csk_a')]);
      assert.deepEqual(same, { kind: 'credential', text: 'csk_a' }, `${first} ${second}`);
      const other = readCredentials([...header(first, 'csk_a'), ...header(second, 'csk_b')]);
      assert.equal(other.kind, 'conflict', `${first} ${second}`);
      assert.doesNotMatch(JSON.stringify(other), /csk_/);
    }
  }
});

test('another scheme, and characters that no token has, are malformed and not repeated in the message', () => {
  const values = [
    'Basic dXNlcjpwYXNz',
    'Bearer a b',
    'Bearer a, Bearer b',
    'Bearera',
    'csk_a',
    'DPoP a',
    'Bearer "a"',
  ];
  for (const value of values) {
    const read = readCredentials(['Authorization', value]);
    assert.equal(read.kind, 'malformed', value);
    assert.ok(!JSON.stringify(read).includes(value));
  }
  assert.equal(readCredentials(['x-api-key', 'a b']).kind, 'malformed');
  assert.equal(readCredentials(['x-api-key', 'csk_a', 'authorization', 'Basic x']).kind, 'malformed');
});

test('empty values count as absent', () => {
  const headers = ['Authorization', 'Bearer ', 'x-api-key', '', 'api-key', '  ', 'x-countersign-user', ''];
  assert.deepEqual(readCredentials(headers), { kind: 'none' });
  assert.deepEqual(readCredentials([...headers, 'x-api-key', 'csk_a']), {
    kind: 'credential',
    text: 'csk_a',
  });
  assert.deepEqual(readCredentials([]), { kind: 'none' });
});

test("a person's token stands beside the application's credential, once", () => {
  const both = ['x-api-key', 'csk_a', 'X-Countersign-User', 'e.y.j'];
  assert.deepEqual(readCredentials(both), { kind: 'credential', text: 'csk_a', user: 'e.y.j' });
  assert.deepEqual(readCredentials(['x-countersign-user', 'e.y.j']), { kind: 'none', user: 'e.y.j' });
  assert.equal(readCredentials([...both, 'x-countersign-user', 'e.y.k']).kind, 'conflict');
  assert.equal(readCredentials([...both, 'x-countersign-user', 'e.y.j']).kind, 'credential');
  assert.equal(readCredentials(['x-countersign-user', 'Bearer e.y.j']).kind, 'malformed');
});
