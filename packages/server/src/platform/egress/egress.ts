// Owns the one dialer: every outbound connection resolves here, is checked, and goes to the checked address.

import { lookup as resolve } from 'node:dns';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AppError } from '@countersign/core/errors';
import type { buildConnector } from 'undici';
import { isForbiddenAddress } from './address.ts';
import { compileAllowList, plainHost } from './allow-list.ts';

/** Addresses of a host name, in the order in which they are tried. */
export type Lookup = (host: string) => Promise<readonly string[]>;

export type Egress = {
  /** A connect function for undici that dials only what may be dialled. */
  readonly connector: (connectTimeoutMs: number) => buildConnector.connector;
};

const systemLookup: Lookup = (host) =>
  new Promise((done, fail) => {
    resolve(host, { all: true, order: 'verbatim' }, (error, found) => {
      if (error === null) done(found.map(({ address }) => address));
      else fail(error);
    });
  });

function forbidden(host: string): AppError {
  const advice = 'list it in `COUNTERSIGN_EGRESS_ALLOW` if it is an upstream of your own';
  return new AppError('upstream_unreachable', `\`${host}\` is not a public address: ${advice}`);
}

type Target = {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly servername: string | undefined;
};

function targetOf(options: buildConnector.Options): Target {
  const isTls = options.protocol === 'https:';
  const port = options.port === '' ? (isTls ? 443 : 80) : Number(options.port);
  const host = plainHost(options.hostname);
  const name = options.servername ?? host;
  return { host, port, isTls, servername: isIP(name) === 0 ? name : undefined };
}

function dial(target: Target, address: string, onSocket: (socket: Socket) => void): Promise<Socket> {
  return new Promise((done, fail) => {
    const tcp = {
      host: address,
      port: target.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    };
    const secure = {
      ...tcp,
      ALPNProtocols: ['http/1.1'],
      ...(target.servername === undefined ? {} : { servername: target.servername }),
    };
    const socket = target.isTls ? connectTls(secure) : connectTcp(tcp);
    onSocket(socket);
    socket.once('error', fail);
    socket.once(target.isTls ? 'secureConnect' : 'connect', () => {
      socket.off('error', fail);
      done(socket);
    });
  });
}

/**
 * The dialer. `allow` lists operators' own private upstreams; plain `http` goes only to those. INVARIANT: the
 * address that was checked is the address that is dialled, so that a second answer of DNS changes nothing.
 */
export function createEgress(options: {
  readonly allow: readonly string[];
  readonly lookup?: Lookup;
}): Egress {
  const allow = compileAllowList(options.allow);
  const lookup = options.lookup ?? systemLookup;

  async function addressesOf(target: Target): Promise<readonly string[]> {
    const { host, port } = target;
    const isListed = allow.hasHost(host, port);
    const found = isIP(host) === 0 ? await lookup(host) : [host];
    const dialable = found.filter(
      (address) => isListed || allow.hasAddress(address) || !isForbiddenAddress(address),
    );
    // One private answer among public ones is a sign of rebinding: nothing of such a name is dialled.
    if (dialable.length === 0 || dialable.length < found.length) throw forbidden(host);
    const isOwn = isListed || dialable.every(allow.hasAddress);
    if (!target.isTls && !isOwn) {
      throw new AppError(
        'upstream_unreachable',
        `\`${host}\` is reached by https only: use https, or list it in \`COUNTERSIGN_EGRESS_ALLOW\``,
      );
    }
    return dialable;
  }

  async function connect(target: Target, signal: AbortSignal): Promise<Socket> {
    const addresses = await addressesOf(target);
    let failure: unknown;
    for (const address of addresses) {
      if (signal.aborted) break;
      try {
        return await dial(target, address, (socket) => {
          signal.addEventListener('abort', () => socket.connecting && socket.destroy(), { once: true });
        });
      } catch (error) {
        failure = error;
      }
    }
    throw failure ?? new AppError('upstream_timeout', `\`${target.host}\` could not be reached in time`);
  }

  return {
    connector: (connectTimeoutMs) => (given, callback) => {
      const abort = new AbortController();
      let isDone = false;
      const finish = (error: Error | null, socket: Socket | null): void => {
        if (isDone) {
          socket?.destroy();
          return;
        }
        isDone = true;
        clearTimeout(timer);
        if (socket !== null) callback(null, socket);
        else callback(error ?? new Error('no socket'), null);
      };
      const timer = setTimeout(() => {
        abort.abort();
        const error = new Error(`connecting took longer than ${connectTimeoutMs} ms`);
        finish(Object.assign(error, { code: 'UND_ERR_CONNECT_TIMEOUT' }), null);
      }, connectTimeoutMs);
      connect(targetOf(given), abort.signal).then(
        (socket) => finish(null, socket),
        (error: unknown) => finish(error instanceof Error ? error : new Error(String(error)), null),
      );
    },
  };
}
