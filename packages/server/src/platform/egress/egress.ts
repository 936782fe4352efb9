// Owns the one dialer: which destinations may be reached, and that what is connected to is what was checked.

import { lookup as systemLookup } from 'node:dns/promises';
import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import errors from 'undici/lib/core/errors.js';
import { isForbiddenAddress, readHost } from './address.ts';
import { type AllowList, compileAllowList } from './allow-list.ts';
import { type DialTarget, dial, type Limit } from './dial.ts';
import { EgressError } from './egress-error.ts';
import { type FetchDocument, makeFetchDocument } from './fetch-document.ts';
import { makePostText, type PostText } from './post-text.ts';
import { sendDatagram } from './send-datagram.ts';

/** Every address of a name. Rejects when there is none. */
export type Lookup = (name: string) => Promise<readonly string[]>;

export type Connector = buildConnector.connector;

export type Egress = {
  /**
   * A connect function, in the form that an undici client asks for: resolves, checks each address, connects to a checked one. Time in
   * milliseconds for all of it; absent, the egress's own.
   */
  readonly connector: (connectTimeoutMs?: number) => Connector;
  readonly fetchDocument: FetchDocument;
  readonly postText: PostText;
  /** A socket to something that does not speak HTTP, under the same rules. */
  readonly openSocket: (place: Place, until: Until) => Promise<Socket>;
  /** Sends one datagram by UDP, under the rules for what has no TLS. Resolves when it has left: nobody confirms it. */
  readonly sendDatagram: (place: Omit<Place, 'isTls'>, datagram: Uint8Array, until: Until) => Promise<void>;
};

/** Whom to reach: `host` as in a URL, IPv6 in brackets. */
export type Place = { readonly host: string; readonly port: number; readonly isTls: boolean };

/** Milliseconds for resolving, connecting and TLS, and what gives up before they are over. */
export type Until = { readonly timeoutMs: number; readonly signal?: AbortSignal };

export type EgressOptions = {
  /** Entries as `parseAllowEntry` reads them. */
  readonly allow: readonly string[];
  readonly lookup?: Lookup;
  /** Milliseconds; 5,000 when absent. */
  readonly connectTimeoutMs?: number;
};

/** Names with more addresses than this are tried only on the first ones. */
const maxAddresses = 8;

async function lookupAll(name: string): Promise<readonly string[]> {
  const answers = await systemLookup(name, { all: true });
  return answers.map((answer) => answer.address);
}

/** One question at a time for each name, however many connections wait for it; answers are not kept. */
function shareLookups(lookup: Lookup): Lookup {
  const running = new Map<string, Promise<readonly string[]>>();
  return (name) => {
    // RFC 6761 section 6.3: localhost is loopback, and no name server is asked.
    if (name === 'localhost' || name.endsWith('.localhost')) return Promise.resolve(['127.0.0.1', '::1']);
    const asked = running.get(name);
    if (asked !== undefined) return asked;
    const answer = lookup(name).finally(() => running.delete(name));
    running.set(name, answer);
    return answer;
  };
}

/** The answer, or a rejection when the limit comes first. */
function within<T>(answer: Promise<T>, { signal }: Limit): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new errors.ConnectTimeoutError('no address in time'));
    signal.addEventListener('abort', onAbort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

type Rules = { readonly isListed: AllowList; readonly lookup: Lookup };

/** `secure` is the scheme that would have TLS. */
type Asked = Place & { readonly secure: 'https' | 'tls' };

/** What a client of HTTP asks for. */
function askedOf({ hostname, protocol, port }: buildConnector.Options): Asked {
  const isTls = protocol === 'https:';
  if (!isTls && protocol !== 'http:') {
    throw new EgressError('forbidden', `\`${protocol}\` is not a scheme to call out with; use https`);
  }
  return { host: hostname, port: Number(port || (isTls ? 443 : 80)), isTls, secure: 'https' };
}

/**
 * INVARIANT: the addresses returned are the ones that were checked, and the only ones that are dialled: a name
 * that resolves otherwise a moment later (rebinding) changes nothing.
 */
async function resolveTarget(
  rules: Rules,
  { host: text, port, isTls, secure }: Asked,
  limit: Limit,
): Promise<DialTarget> {
  const host = readHost(text);
  if (host === undefined) {
    throw new EgressError('forbidden', `\`${text}\` is neither a host name nor a plain IP address`);
  }
  const name = host.kind === 'name' ? host.name : undefined;
  const answers = host.kind === 'name' ? await within(rules.lookup(host.name), limit) : [host.address];
  const addresses = answers.filter(
    (address) => rules.isListed({ name, address, port }) || (isTls && !isForbiddenAddress(address)),
  );
  if (addresses.length === 0) {
    throw new EgressError(
      'forbidden',
      isTls
        ? `\`${text}\` is not on the public internet; list it in COUNTERSIGN_EGRESS_ALLOW to call it`
        : `\`${text}\` may not be called without TLS; use ${secure}, or list it in COUNTERSIGN_EGRESS_ALLOW`,
    );
  }
  const tlsHost = host.kind === 'name' ? host.name : host.address;
  return {
    addresses: [...new Set(addresses)].slice(0, maxAddresses),
    port,
    tlsHost: isTls ? tlsHost : undefined,
    alpn: secure === 'https' ? 'http/1.1' : undefined,
  };
}

/** Gives the work a limit of its own that ends with it. */
function limited<T>({ timeoutMs, signal }: Until, work: (limit: Limit) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  const timer = setTimeout(stop, timeoutMs);
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted === true) stop();
  return work({ endsAt: performance.now() + timeoutMs, signal: controller.signal }).finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  });
}

function makeConnector(rules: Rules, timeoutMs: number): Connector {
  return (options, callback) => {
    limited({ timeoutMs }, async (limit) =>
      dial(await resolveTarget(rules, askedOf(options), limit), limit),
    ).then(
      (socket) => callback(null, socket),
      (error: unknown) =>
        callback(error instanceof Error ? error : new EgressError('unreachable', 'no connection'), null),
    );
  };
}

/**
 * Makes the one dialer. An address outside of the public internet, and plain http anywhere, is dialled only where
 * `allow` lists it. A refusal reaches the client as `EgressError('forbidden')`, a time-out as undici's
 * `ConnectTimeoutError`. Throws a `TypeError` for an entry that cannot be read.
 */
export function createEgress(options: EgressOptions): Egress {
  const { allow, lookup = lookupAll, connectTimeoutMs = 5_000 } = options;
  const rules = { isListed: compileAllowList(allow), lookup: shareLookups(lookup) };
  const connector = (timeoutMs: number = connectTimeoutMs): Connector => makeConnector(rules, timeoutMs);
  const documents = (timeoutMs: number): Connector => connector(Math.min(timeoutMs, connectTimeoutMs));
  const targetOf = (place: Place, limit: Limit) => resolveTarget(rules, { ...place, secure: 'tls' }, limit);
  return {
    connector,
    fetchDocument: makeFetchDocument(documents),
    postText: makePostText(documents),
    openSocket: (place, until) => limited(until, async (limit) => dial(await targetOf(place, limit), limit)),
    sendDatagram: (place, datagram, until) =>
      limited(until, async (limit) =>
        sendDatagram(await targetOf({ ...place, isTls: false }, limit), datagram),
      ),
  };
}
