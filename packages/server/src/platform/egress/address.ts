// Owns which addresses the server may never dial by itself: everything that is not the public internet.

import { type AddressSet, compileAddresses, readAddress } from '../http/networks.ts';

/** A valid address or CIDR range, as it was written; undefined for anything else. */
export function parseCidr(text: string): string | undefined {
  return compileAddresses([text], 'cidr').ok ? text : undefined;
}

/**
 * IANA special-purpose registries (RFC 6890 and its updates): this network, private, CGNAT, loopback,
 * link-local with cloud metadata, protocol assignments, documentation, benchmarks, multicast, reserved; in IPv6
 * also what carries an IPv4 address inside (compatible, NAT64, 6to4, Teredo), and local scopes.
 */
const specialRanges = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

function compileSpecial(): AddressSet {
  const compiled = compileAddresses(specialRanges, 'special');
  if (!compiled.ok) throw new RangeError('the table of special ranges is malformed');
  return compiled.set;
}

const special = compileSpecial();

/**
 * True unless the address is one of the public internet. What is no address is forbidden too; an IPv4 address
 * mapped into IPv6 is judged as the IPv4 address that it is.
 */
export function isForbiddenAddress(text: string): boolean {
  const address = readAddress(text);
  return address === undefined || special.has(address);
}
