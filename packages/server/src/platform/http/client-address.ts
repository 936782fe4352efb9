// Owns where a request came from: the peer's own address, or what a listed proxy says of its peer.

import { AppError } from '@countersign/core/errors';
import { ownText } from '../memory/own-text.ts';
import { headerValues, type RawHeaders } from './headers.ts';
import { type AddressSet, compileAddresses, readAddress } from './networks.ts';

/** The proxies that stand before the server. */
export type TrustedProxies = {
  readonly peers: AddressSet;
  /** How many entries from the right of `x-forwarded-for` the client's own address is; at least 1. */
  readonly hops: number;
};

/**
 * Compiles the configured proxies. Throws an AppError `invalid_request` that names the first bad range, or a
 * number of hops below 1.
 */
export function compileTrustedProxies(config: {
  readonly cidrs: readonly string[];
  readonly hops: number;
}): TrustedProxies {
  const compiled = compileAddresses(config.cidrs, 'trustedProxies');
  if (!compiled.ok) {
    const [first] = compiled.errors;
    throw new AppError('invalid_request', `${first?.path}: ${first?.message}`, { fields: compiled.errors });
  }
  if (!Number.isInteger(config.hops) || config.hops < 1) {
    throw new AppError('invalid_request', 'the number of proxy hops must be a whole number from 1');
  }
  return { peers: compiled.set, hops: config.hops };
}

/** True when the connection itself comes from a listed proxy: only then is anything that it adds believed. */
export function isTrustedPeer(socketAddress: string | undefined, trusted: TrustedProxies): boolean {
  return socketAddress !== undefined && trusted.peers.has(socketAddress);
}

/** An entry of `x-forwarded-for`: an address, as some proxies write it with a port or in brackets. */
function readEntry(text: string): string | undefined {
  const entry = text.trim();
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(entry)?.[1];
  const withPort = /^([\d.]+):\d{1,5}$/.exec(entry)?.[1];
  return readAddress(bracketed ?? withPort ?? entry);
}

/**
 * The address that policy and records see, in the spelling of `readAddress`; `unknown` for a connection
 * without one. From a listed peer it is the entry of `x-forwarded-for` that stands `hops` from the right
 * (all its lines taken as one list, RFC 9110 section 5.2): what stands further left is the client's own
 * invention. With fewer entries, or if that entry is no address, it is the peer's own.
 */
export function clientAddress(
  socketAddress: string | undefined,
  headers: RawHeaders,
  trusted: TrustedProxies,
): string {
  const own = socketAddress === undefined ? undefined : readAddress(socketAddress);
  if (own === undefined) return 'unknown';
  if (!trusted.peers.has(own)) return own;
  const entries = headerValues(headers, 'x-forwarded-for').flatMap((value) => value.split(','));
  const entry = entries[entries.length - trusted.hops];
  const address = entry === undefined ? undefined : readEntry(entry);
  // Addresses are kept, by networks and with clients; the head that this one came in is not.
  return address === undefined ? own : ownText(address);
}
