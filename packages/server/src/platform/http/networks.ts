// Owns addresses and ranges of addresses: one spelling for each address, and which named networks hold it.

import { BlockList, isIPv4, isIPv6, SocketAddress } from 'node:net';
import type { FieldError } from '@countersign/core/errors';

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/**
 * An address in its one spelling: IPv4 in dots, also where it came mapped into IPv6 (RFC 4291 section
 * 2.5.5.2); IPv6 in its shortest lower-case form, without a zone. Undefined when the text is no address.
 */
export function readAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  const zone = text.indexOf('%');
  const plain = zone < 0 ? text : text.slice(0, zone);
  if (!isIPv6(plain)) return undefined;
  const { address } = new SocketAddress({ address: plain, family: 'ipv6' });
  return mapped.exec(address)?.[1] ?? address;
}

type Range = { readonly address: string; readonly prefix: number; readonly family: 'ipv4' | 'ipv6' };

/** One range, or the sentence that says what is wrong with its text. */
function readRange(text: string): Range | string {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const address = host.includes('%') ? undefined : readAddress(host);
  if (address === undefined) return `\`${host}\` is not an IP address; write a range such as \`10.0.0.0/8\``;
  const isMapped = isIPv4(address) && !isIPv4(host);
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  const bits = isIPv4(host) ? 32 : 128;
  const digits = slash < 0 ? String(bits) : text.slice(slash + 1);
  const prefix = Number(digits);
  if (!/^\d{1,3}$/.test(digits) || prefix > bits) {
    return `the prefix length of \`${text}\` is not a number from 0 to ${bits}`;
  }
  if (!isMapped) return { address, prefix, family };
  if (prefix < 96) return `\`${text}\` reaches beyond mapped IPv4; write the IPv4 range itself`;
  return { address, prefix: prefix - 96, family };
}

/** True when the ranges hold the address, which is in the spelling of `readAddress`. */
type Ranges = (address: string) => boolean;

/** INVARIANT: the families are kept apart, because a BlockList lets `::/0` hold every IPv4 address. */
function compileRanges(ranges: readonly Range[]): Ranges {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const { address, prefix, family } of ranges) lists[family].addSubnet(address, prefix, family);
  return (address) => {
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    return lists[family].check(address, family);
  };
}

function readRanges(
  cidrs: readonly string[],
  path: string,
): { readonly ranges: readonly Range[]; readonly errors: readonly FieldError[] } {
  const ranges: Range[] = [];
  const errors: FieldError[] = [];
  cidrs.forEach((text, at) => {
    const range = readRange(text);
    if (typeof range === 'string') errors.push({ path: `${path}.${at}`, message: range });
    else ranges.push(range);
  });
  return { ranges, errors };
}

/** Whether a text is in some of the ranges; false for a text that is no address. */
export type AddressSet = { readonly has: (text: string) => boolean };

/**
 * Compiles addresses and CIDR ranges of both families (bits after the prefix do not count). Errors name the
 * offending item by `path` and index.
 */
export function compileAddresses(
  cidrs: readonly string[],
  path: string,
):
  | { readonly ok: true; readonly set: AddressSet }
  | { readonly ok: false; readonly errors: readonly FieldError[] } {
  const { ranges, errors } = readRanges(cidrs, path);
  if (errors.length > 0) return { ok: false, errors };
  const holds = compileRanges(ranges);
  return {
    ok: true,
    set: {
      has: (text) => {
        const address = readAddress(text);
        return address !== undefined && holds(address);
      },
    },
  };
}

export type NamedNetwork = { readonly name: string; readonly cidrs: readonly string[] };

/** The names of the networks that hold an address, in the order of their definition; none for what is no address. */
export type NetworkMatcher = (address: string) => readonly string[];

export type CompiledNetworks =
  | { readonly ok: true; readonly match: NetworkMatcher }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/**
 * Compiles an organization's named networks. An invalid range fails the whole, with a path such as
 * `networks.0.cidrs.2`, because a network that lost a range would let a policy's exception or ban lapse.
 */
export function matchNetworks(networks: readonly NamedNetwork[]): CompiledNetworks {
  const read = networks.map(({ name, cidrs }, at) => ({
    name,
    ...readRanges(cidrs, `networks.${at}.cidrs`),
  }));
  const errors = read.flatMap((network) => network.errors);
  if (errors.length > 0) return { ok: false, errors };
  const compiled = read.map(({ name, ranges }) => ({ name, holds: compileRanges(ranges) }));
  return {
    ok: true,
    match: (text) => {
      if (compiled.length === 0) return [];
      const address = readAddress(text);
      if (address === undefined) return [];
      return compiled.filter((network) => network.holds(address)).map((network) => network.name);
    },
  };
}
