// Owns the operators' own private upstreams: the entries of the allow-list, and whether a destination is on it.

import { isIPv4 } from 'node:net';
import { compileAddresses, readAddress } from '../http/networks.ts';
import { classifyAddress, isForbiddenAddress, parseCidr, readHost } from './address.ts';

/** `port` undefined: each port. */
export type AllowEntry =
  | { readonly kind: 'name'; readonly name: string; readonly port: number | undefined }
  | { readonly kind: 'address'; readonly address: string; readonly port: number | undefined }
  | { readonly kind: 'range'; readonly cidr: string };

function readHostEntry(host: string, port: number | undefined): AllowEntry | undefined {
  const read = readHost(host);
  if (read?.kind === 'name') return { kind: 'name', name: read.name, port };
  const address = read === undefined ? undefined : readAddress(read.address);
  return address === undefined ? undefined : { kind: 'address', address, port };
}

function readRangeEntry(text: string): AllowEntry | undefined {
  const cidr = parseCidr(text);
  if (cidr === undefined) return undefined;
  const { address, prefix } = cidr;
  const isSingle = prefix === (isIPv4(address) ? 32 : 128);
  return isSingle
    ? { kind: 'address', address, port: undefined }
    : { kind: 'range', cidr: `${address}/${prefix}` };
}

const withPort = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/;

/**
 * Reads one entry: `ollama.internal`, `ollama.internal:11434`, `10.0.0.5`, `10.0.0.5:8080`, `[fd00::5]:8080`,
 * `fd00::5` or `10.0.0.0/8`. `undefined` for all else; a range has no port.
 */
export function parseAllowEntry(text: string): AllowEntry | undefined {
  if (text.includes('%')) return undefined;
  if (text.includes('/')) return readRangeEntry(text);
  const match = withPort.exec(text);
  if (match === null || readAddress(text) !== undefined) return readHostEntry(text, undefined);
  const port = Number(match[2]);
  return port < 1 || port > 65_535 ? undefined : readHostEntry(match[1] ?? '', port);
}

/** One place to connect to: a name (undefined where the URL had an address) and an address that it resolved to. */
export type Destination = {
  readonly name: string | undefined;
  readonly address: string;
  readonly port: number;
};

/** True where an operator has listed the destination. */
export type AllowList = (destination: Destination) => boolean;

/**
 * Compiles the entries; throws a `TypeError` for one that `parseAllowEntry` does not read. A name opens whatever
 * it resolves to, and a range what it holds, but for addresses of the class `never` (link-local and with it
 * the clouds' metadata, multicast): these only an entry opens that is that very address.
 */
export function compileAllowList(entries: readonly string[]): AllowList {
  const names = new Set<string>();
  const addresses = new Set<string>();
  const cidrs: string[] = [];
  for (const text of entries) {
    const entry = parseAllowEntry(text);
    if (entry === undefined) throw new TypeError(`\`${text}\` is not an entry of the egress allow-list`);
    if (entry.kind === 'name') names.add(`${entry.name} ${entry.port ?? '*'}`);
    else if (entry.kind === 'address') addresses.add(`${entry.address} ${entry.port ?? '*'}`);
    else cidrs.push(entry.cidr);
  }
  const compiled = compileAddresses(cidrs, 'egressAllow');
  if (!compiled.ok) throw new TypeError(compiled.errors.map((error) => error.message).join('; '));
  const ranges = compiled.set;
  return ({ name, address, port }) => {
    const plain = readAddress(address);
    if (plain === undefined) return false;
    if (addresses.has(`${plain} *`) || addresses.has(`${plain} ${port}`)) return true;
    if (classifyAddress(address) === 'never') return false;
    return ranges.has(plain) || names.has(`${name} *`) || names.has(`${name} ${port}`);
  };
}

/**
 * False where nothing that a name server may answer would let the place be dialled: it can be said at the start. `host`
 * as in a URL; throws as `compileAllowList` does.
 */
export function couldBeDialled(
  { host, port, isTls }: { readonly host: string; readonly port: number; readonly isTls: boolean },
  entries: readonly string[],
): boolean {
  const read = readHost(host);
  if (read === undefined) return false;
  if (read.kind === 'address') {
    const { address } = read;
    const isListed = compileAllowList(entries)({ name: undefined, address, port });
    return isListed || (isTls && !isForbiddenAddress(address));
  }
  return (
    isTls ||
    entries.map(parseAllowEntry).some((entry) => {
      // The name may have any address that is listed.
      if (entry?.kind !== 'name') return entry !== undefined;
      return entry.name === read.name && (entry.port ?? port) === port;
    })
  );
}
