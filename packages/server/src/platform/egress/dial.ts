// Owns opening a socket to addresses that were checked: TCP to one after the other, TLS for the host's name.

import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import errors from 'undici/lib/core/errors.js';
import { highWaterMark } from '../sockets/high-water-mark.ts';
import { EgressError } from './egress-error.ts';

export type DialTarget = {
  /** Checked addresses, in the order in which they are tried. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** The name or address that the certificate must be for; `undefined` for plain TCP. */
  readonly tlsHost: string | undefined;
  /** The protocol that is offered inside of TLS (RFC 7301); undefined: none is named. */
  readonly alpn: 'http/1.1' | undefined;
};

/** What ends the dialing: a moment of `performance.now()`, and the signal that fires then. */
export type Limit = { readonly endsAt: number; readonly signal: AbortSignal };

function ignore(): void {}

/** A name that is asked for beyond `net.connect` would be a second answer that nobody has checked. */
function refuseLookup(host: string): never {
  throw new EgressError('forbidden', `\`${host}\` is not a checked address`);
}

/** Resolves with the socket at its `event`; rejects and destroys it on an error, the limit or after `limitMs`. */
function arrive<S extends Socket>(socket: S, event: string, limitMs: number, limit: Limit): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      limit.signal.removeEventListener('abort', onAbort);
      socket.off('error', fail).off('close', onClose).off(event, onArrival);
    };
    const fail = (error: Error): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(new errors.ConnectTimeoutError('no connection in time'));
    const onClose = (): void =>
      fail(new EgressError('unreachable', 'the connection was closed at its start'));
    const onArrival = (): void => {
      settle();
      resolve(socket);
    };
    const timer = setTimeout(onAbort, limitMs);
    // Stays: a second error, after the first was told, must not end the process.
    socket.on('error', ignore);
    socket.once('error', fail).once('close', onClose).once(event, onArrival);
    limit.signal.addEventListener('abort', onAbort, { once: true });
    if (limit.signal.aborted) onAbort();
  });
}

function openTcp(address: string, port: number, limitMs: number, limit: Limit): Promise<Socket> {
  const options = {
    host: address,
    port,
    autoSelectFamily: false,
    lookup: refuseLookup,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
    highWaterMark,
  };
  return arrive(connectTcp(options), 'connect', limitMs, limit);
}

/** The first address that answers. Each gets its share of what is left, so that a silent one does not eat it all. */
async function openFirst({ addresses, port }: DialTarget, limit: Limit): Promise<Socket> {
  let failure: unknown = new EgressError('unreachable', 'there is no address to dial');
  for (const [at, address] of addresses.entries()) {
    const leftMs = limit.endsAt - performance.now();
    try {
      return await openTcp(address, port, leftMs / (addresses.length - at), limit);
    } catch (error) {
      failure = error;
    }
    if (limit.signal.aborted) break;
  }
  throw failure;
}

/**
 * Connects to the first of the addresses that answers, and speaks TLS for `tlsHost` on it.
 * Throws undici's `ConnectTimeoutError` at the limit, or the last address's error.
 */
export async function dial(target: DialTarget, limit: Limit): Promise<Socket> {
  const socket = await openFirst(target, limit);
  const { tlsHost, alpn } = target;
  if (tlsHost === undefined) return socket;
  const secure = connectTls({
    socket,
    host: tlsHost,
    // RFC 6066 section 3: the server name is never an address.
    ...(isIP(tlsHost) === 0 ? { servername: tlsHost } : {}),
    ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
    // INVARIANT: no environment variable turns the check of certificates off.
    rejectUnauthorized: true,
  });
  return arrive(secure, 'secureConnect', limit.endsAt - performance.now(), limit);
}
