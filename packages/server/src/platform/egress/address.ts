// Owns what an address is to the dialer: public, internal to somebody's network, or never to be dialled.

import { isIP, isIPv4 } from 'node:net';
import { type AddressSet, compileAddresses, readAddress } from '../http/networks.ts';

/** A range in one spelling: the address without mapping and zone, and the length of the prefix in bits. */
export type Cidr = { readonly address: string; readonly prefix: number };

/** Reads an IP address or a CIDR range of either family; `undefined` when the text is neither. */
export function parseCidr(text: string): Cidr | undefined {
  if (!compileAddresses([text], 'cidr').ok) return undefined;
  const [host = '', digits] = text.split('/');
  const address = readAddress(host);
  if (address === undefined) return undefined;
  const bits = isIPv4(address) ? 32 : 128;
  if (digits === undefined) return { address, prefix: bits };
  const isMapped = isIPv4(address) && !isIPv4(host);
  return { address, prefix: isMapped ? Number(digits) - 96 : Number(digits) };
}

function fixed(cidrs: readonly string[]): AddressSet {
  const compiled = compileAddresses(cidrs, 'ranges');
  if (!compiled.ok) throw new TypeError(compiled.errors.map((error) => error.message).join('; '));
  return compiled.set;
}

/**
 * What not even a listed name or range opens: "this host" (RFC 1122), link-local (RFC 3927), multicast,
 * broadcast, and the services that clouds put on addresses of their own (168.63.129.16 Azure,
 * 100.100.100.200 Alibaba, 192.0.0.192 Oracle; 169.254.169.254 is link-local).
 */
const never4 = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '255.255.255.255',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
] as const;

/** The IANA IPv4 special-purpose registry (RFC 6890), but for what is in `never4`. */
const internal4 = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '240.0.0.0/4',
] as const;

/** A range of IPv4 as NAT64 (RFC 6052) reaches it. */
function behindNat64(range: string): string {
  const [address = '', prefix = '32'] = range.split('/');
  return `64:ff9b::${address}/${96 + Number(prefix)}`;
}

/**
 * Link-local, multicast, cloud services (fd00:ec2::/32 AWS, fd20:ce::254 Google), and forms that carry an IPv4
 * address where no check of ours sees it: compatible (RFC 4291), local NAT64 (RFC 8215), 6to4, Teredo.
 */
const never6 = [
  '::/96',
  '64:ff9b:1::/48',
  '2001::/32',
  '2002::/16',
  'fe80::/10',
  'ff00::/8',
  'fd00:ec2::/32',
  'fd20:ce::254',
  ...never4.map(behindNat64),
] as const;

/** Global unicast (RFC 4291 section 2.4) is the only public part of IPv6, without these parts of it (RFC 6890, 9637). */
const global6 = fixed(['2000::/3']);
const special6 = fixed(['2001::/23', '2001:db8::/32', '3fff::/20']);
const never = fixed([...never4, ...never6]);
const internal = fixed(internal4);

/** `internal`: dialled only where listed by name, address or range. `never`: only where listed as this address. */
export type AddressClass = 'public' | 'internal' | 'never';

/** The class of an address; a text that is no address is `never`. IPv4 mapped into IPv6 is not public. */
export function classifyAddress(text: string): AddressClass {
  const address = readAddress(text);
  if (address === undefined) return 'never';
  if (address === '::1') return 'internal';
  if (never.has(address)) return 'never';
  if (isIPv4(address)) return isIPv4(text) && !internal.has(address) ? 'public' : 'internal';
  return global6.has(address) && !special6.has(address) ? 'public' : 'internal';
}

/**
 * True for every address that is not on the public internet: private, loopback, link-local, shared (RFC 6598),
 * metadata, multicast, unspecified, reserved, documentation, IPv6 that carries IPv4; and for what is no address.
 */
export function isForbiddenAddress(text: string): boolean {
  return classifyAddress(text) !== 'public';
}

export type Host =
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'name'; readonly name: string };

const nameForm = /^(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;
/** The last label makes it a number to inet_aton and to the URL standard ("ends in a number"). */
const endsInNumber = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

/**
 * Reads a host as it is written in a URL: a name in lower case without a dot at its end, or an address, without
 * brackets, otherwise as written. `undefined` for what is neither, and for IPv4 that is not four plain decimal
 * numbers (`2130706433`, `0177.0.0.1`, `0x7f.1`), which resolvers take for addresses.
 */
export function readHost(text: string): Host | undefined {
  const inside = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : undefined;
  if (inside !== undefined) return isIP(inside) === 6 ? { kind: 'address', address: inside } : undefined;
  if (isIP(text) !== 0) return { kind: 'address', address: text };
  const lower = text.toLowerCase();
  const name = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  const isName = name.length <= 253 && nameForm.test(name) && !endsInNumber.test(name);
  return isName ? { kind: 'name', name } : undefined;
}
