// Owns the claims about addresses, ranges and named networks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileAddresses, matchNetworks, readAddress } from './networks.ts';

function namesFor(networks: Parameters<typeof matchNetworks>[0], address: string): readonly string[] {
  const compiled = matchNetworks(networks);
  assert.ok(compiled.ok);
  return compiled.match(address);
}

function isHeld(cidr: string, address: string): boolean {
  const compiled = compileAddresses([cidr], 'cidrs');
  assert.ok(compiled.ok, cidr);
  return compiled.set.has(address);
}

test('an address has one spelling', () => {
  assert.equal(readAddress('10.1.2.3'), '10.1.2.3');
  for (const text of [
    '::ffff:10.1.2.3',
    '::FFFF:0a01:0203',
    '0:0:0:0:0:ffff:10.1.2.3',
    '::ffff:10.1.2.3%eth0',
  ]) {
    assert.equal(readAddress(text), '10.1.2.3', text);
  }
  assert.equal(readAddress('2001:DB8:0:0::1'), '2001:db8::1');
  assert.equal(readAddress('fe80::1%eth0'), 'fe80::1');
  for (const text of [
    '',
    'localhost',
    '10.1.2',
    '010.1.2.3',
    '0x0a010203',
    '167838211',
    '10.1.2.3 ',
    '[::1]',
  ]) {
    assert.equal(readAddress(text), undefined, text);
  }
});

test('a range holds mapped IPv4 addresses, and a mapped range holds IPv4 addresses', () => {
  assert.equal(isHeld('10.0.0.0/8', '::ffff:10.9.9.9'), true);
  assert.equal(isHeld('::ffff:10.0.0.0/104', '10.9.9.9'), true);
  assert.equal(isHeld('::ffff:10.0.0.0/104', '11.0.0.1'), false);
  assert.equal(isHeld('10.0.0.0/8', '::10.9.9.9'), false);
});

test('one family never holds the other', () => {
  assert.equal(isHeld('::/0', '10.0.0.1'), false);
  assert.equal(isHeld('::/0', '::ffff:10.0.0.1'), false);
  assert.equal(isHeld('::/0', '2001:db8::1'), true);
  assert.equal(isHeld('0.0.0.0/0', '2001:db8::1'), false);
});

test('a range without a prefix length is one address, and bits after the prefix do not count', () => {
  assert.equal(isHeld('192.0.2.7', '192.0.2.7'), true);
  assert.equal(isHeld('192.0.2.7', '192.0.2.8'), false);
  assert.equal(isHeld('2001:db8::7', '2001:db8::8'), false);
  assert.equal(isHeld('192.0.2.7/24', '192.0.2.200'), true);
});

test('membership of a range agrees with arithmetic', () => {
  const word = fc.integer({ min: 0, max: 0xffffffff });
  const dots = (n: number): string => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255].join('.');
  const nearby = fc
    .tuple(word, fc.integer({ min: 0, max: 31 }))
    .map(([n, bit]) => [n, (n ^ (1 << bit)) >>> 0]);
  fc.assert(
    fc.property(nearby, fc.integer({ min: 0, max: 32 }), ([base = 0, address = 0], prefix) => {
      const mask = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
      const expected = (base & mask) >>> 0 === (address & mask) >>> 0;
      assert.equal(isHeld(`${dots(base)}/${prefix}`, dots(address)), expected);
    }),
  );
});

test('an address has the names of all networks that hold it, in their order', () => {
  const networks = [
    { name: 'office', cidrs: ['192.0.2.0/24', '2001:db8:1::/48'] },
    { name: 'vpn', cidrs: ['192.0.2.128/25'] },
    { name: 'empty', cidrs: [] },
  ];
  assert.deepEqual(namesFor(networks, '192.0.2.200'), ['office', 'vpn']);
  assert.deepEqual(namesFor(networks, '::ffff:192.0.2.1'), ['office']);
  assert.deepEqual(namesFor(networks, '2001:DB8:1::9'), ['office']);
  assert.deepEqual(namesFor(networks, '198.51.100.1'), []);
  assert.deepEqual(namesFor(networks, 'unknown'), []);
  assert.deepEqual(namesFor([], '192.0.2.1'), []);
});

test('an invalid range is named by its place and told what is wrong', () => {
  const compiled = matchNetworks([
    { name: 'a', cidrs: ['10.0.0.0/8', '10.0.0.0/33', 'office.example.com'] },
    {
      name: 'b',
      cidrs: ['2001:db8::/129', '10.0.0.0/', '::ffff:10.0.0.0/90', '10.0.0.0/8/8', 'fe80::%eth0/64'],
    },
  ]);
  assert.ok(!compiled.ok);
  assert.deepEqual(
    compiled.errors.map((error) => error.path),
    ['networks.0.cidrs.1', 'networks.0.cidrs.2'].concat([0, 1, 2, 3, 4].map((i) => `networks.1.cidrs.${i}`)),
  );
  assert.equal(
    compiled.errors[0]?.message,
    'the prefix length of `10.0.0.0/33` is not a number from 0 to 32',
  );
  assert.match(compiled.errors[1]?.message ?? '', /`office\.example\.com` is not an IP address/);
});
