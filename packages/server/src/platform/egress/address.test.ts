// Owns the claims about which addresses are public, which hosts are read, and what the allow-list opens.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { classifyAddress, isForbiddenAddress, parseCidr, readHost } from './address.ts';
import { compileAllowList, parseAllowEntry } from './allow-list.ts';

function hex(a: number, b: number): string {
  return (a * 256 + b).toString(16);
}

/** Every way to write an IPv4 address inside an IPv6 one. */
function embeddings([a, b, c, d]: readonly [number, number, number, number]): readonly string[] {
  const dotted = `${a}.${b}.${c}.${d}`;
  return [
    `::ffff:${dotted}`,
    `::ffff:${hex(a, b)}:${hex(c, d)}`,
    `::${dotted}`,
    `::ffff:0:${dotted}`,
    `64:ff9b::${dotted}`,
    `64:ff9b:1::${dotted}`,
    `2002:${hex(a, b)}:${hex(c, d)}::1`,
    `2001:0:${hex(a, b)}:${hex(c, d)}::1`,
  ];
}

const octet = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(octet, octet, octet, octet);

test('addresses that are not on the public internet are forbidden', () => {
  const forbidden = [
    ...['0.0.0.0', '10.0.0.1', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.255.254'],
    ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.1', '192.0.2.1', '192.168.1.1'],
    ...['198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1', '224.0.0.1', '240.0.0.1'],
    ...['255.255.255.255', '168.63.129.16', '192.88.99.1'],
    ...['::', '::1', 'fc00::1', 'fd12:3456::1', 'fd00:ec2::254', 'fe80::1', 'fe80::1%eth0', 'fec0::1'],
    ...['ff02::1', '2001:db8::1', '2001::1', '100::1', '3fff::1', '5f00::1', '4000::1'],
    ...['', 'localhost', '2130706433', '0x7f000001', '127.1', '010.0.0.1'],
  ];
  for (const address of forbidden) assert.equal(isForbiddenAddress(address), true, address);
});

test('addresses of the public internet are not forbidden', () => {
  const open = ['1.1.1.1', '8.8.8.8', '100.63.255.255', '100.128.0.1', '172.15.0.1', '172.32.0.1'];
  for (const address of [...open, '2606:4700:4700::1111', '2001:4860:4860::8888', '2a00:1450::1']) {
    assert.equal(isForbiddenAddress(address), false, address);
  }
});

test('an IPv4 address inside of an IPv6 one is forbidden, whichever it is', () => {
  fc.assert(
    fc.property(ipv4, (bytes) => {
      for (const text of embeddings(bytes)) assert.equal(isForbiddenAddress(text), true, text);
    }),
  );
});

test('metadata behind NAT64 or mapped into IPv6 stays what no name or range opens', () => {
  for (const address of ['::ffff:169.254.169.254', '64:ff9b::169.254.169.254', '64:ff9b::a9fe:a9fe']) {
    assert.equal(classifyAddress(address), 'never', address);
  }
  assert.equal(classifyAddress('64:ff9b::8.8.8.8'), 'internal');
});

test('a range is read with its prefix, and mapped ranges as the IPv4 that they are', () => {
  assert.deepEqual(parseCidr('10.0.0.0/8'), { address: '10.0.0.0', prefix: 8 });
  assert.deepEqual(parseCidr('10.0.0.1'), { address: '10.0.0.1', prefix: 32 });
  assert.deepEqual(parseCidr('::ffff:10.0.0.0/104'), { address: '10.0.0.0', prefix: 8 });
  assert.deepEqual(parseCidr('FD00::/8'), { address: 'fd00::', prefix: 8 });
  for (const text of ['', 'example.com', '10.0.0.0/33', '10.0.0/8', '::/129', '10.0.0.0/', '10.0.0.0/8/8']) {
    assert.equal(parseCidr(text), undefined, text);
  }
});

test('numbers that resolvers take for IPv4 are no hosts', () => {
  const texts = ['2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1', '127.1', '127.0.0.01', '1.2.3.4.5'];
  for (const text of [...texts, 'a.0x', '', '.', 'a..b', 'a b', '-a', '[127.0.0.1]', '[::1', 'a/b', 'a@b']) {
    assert.equal(readHost(text), undefined, text);
  }
  assert.deepEqual(readHost('Api.Example.COM.'), { kind: 'name', name: 'api.example.com' });
  assert.deepEqual(readHost('127.0.0.1'), { kind: 'address', address: '127.0.0.1' });
  assert.deepEqual(readHost('[::1]'), { kind: 'address', address: '::1' });
});

test('an entry is a name, an address or a range, and only the first two have a port', () => {
  assert.deepEqual(parseAllowEntry('Ollama.Internal.'), {
    kind: 'name',
    name: 'ollama.internal',
    port: undefined,
  });
  assert.deepEqual(parseAllowEntry('ollama:11434'), { kind: 'name', name: 'ollama', port: 11_434 });
  assert.deepEqual(parseAllowEntry('10.0.0.5:80'), { kind: 'address', address: '10.0.0.5', port: 80 });
  assert.deepEqual(parseAllowEntry('[FD00::5]:80'), { kind: 'address', address: 'fd00::5', port: 80 });
  assert.deepEqual(parseAllowEntry('fd00::5'), { kind: 'address', address: 'fd00::5', port: undefined });
  assert.deepEqual(parseAllowEntry('10.0.0.5/32'), { kind: 'address', address: '10.0.0.5', port: undefined });
  assert.deepEqual(parseAllowEntry('10.0.0.0/8'), { kind: 'range', cidr: '10.0.0.0/8' });
  const wrong = ['', '*', '*.internal', 'http://a', 'a/b', 'a:0', 'a:65536', 'a:', ':80', '10.0.0.0/8:80'];
  for (const text of [...wrong, '0x7f.1', '[::1', 'fe80::1%eth0', 'a:b', 'a,b']) {
    assert.equal(parseAllowEntry(text), undefined, text);
  }
  assert.throws(() => compileAllowList(['*.internal']), /not an entry/);
});

test('an entry opens its name, port, address or range, and nothing beside them', () => {
  const isListed = compileAllowList(['a.internal', 'b.internal:81', '10.1.0.0/16', '10.2.0.1:82', '::1']);
  const check = (name: string | undefined, address: string, port: number, expected: boolean) =>
    assert.equal(isListed({ name, address, port }), expected, `${name} ${address} ${port}`);
  check('a.internal', '192.168.0.1', 1, true);
  check('b.internal', '192.168.0.1', 81, true);
  check('b.internal', '192.168.0.1', 82, false);
  check('x.a.internal', '192.168.0.1', 1, false);
  check(undefined, '192.168.0.1', 1, false);
  check('c', '10.1.255.1', 9, true);
  check('c', '::ffff:10.1.255.1', 9, true);
  check('c', '10.2.0.1', 82, true);
  check('c', '10.2.0.1', 83, false);
  check('c', '0:0::1', 9, true);
  check('c', 'not an address', 9, false);
});

test('what clouds have on addresses of their own is opened by no name and no range', () => {
  const isListed = compileAllowList(['a.internal', '0.0.0.0/0', '::/0', '100.64.0.0/10', 'fd00::/8']);
  for (const address of [
    ...['169.254.169.254', '169.254.170.2', '168.63.129.16', '100.100.100.200', '192.0.0.192'],
    ...['fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254', '0.0.0.0', '255.255.255.255', '224.0.0.1'],
  ]) {
    assert.equal(classifyAddress(address), 'never', address);
    assert.equal(isListed({ name: 'a.internal', address, port: 80 }), false, address);
  }
});

test('metadata is opened by its own address only, not by a name or a range', () => {
  const metadata = { name: 'a.internal', address: '169.254.169.254', port: 80 };
  assert.equal(compileAllowList(['a.internal', '0.0.0.0/0', '::/0'])(metadata), false);
  assert.equal(compileAllowList(['169.254.169.254'])(metadata), true);
});
