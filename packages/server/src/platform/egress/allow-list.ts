// Owns the operators' own private upstreams: which names and ranges may be dialled although they are not public.

import { compileAddresses, readAddress } from '../http/networks.ts';

export type AllowEntry =
  | { readonly kind: 'range'; readonly text: string }
  | { readonly kind: 'host'; readonly host: string; readonly port: number | undefined };

const hostForm =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}[a-z0-9_])?)*$/;

/** One entry: an address, a range, `host`, or `host:port` (`[v6]:port` for an IPv6 address). Undefined if malformed. */
export function parseAllowEntry(text: string): AllowEntry | undefined {
  if (compileAddresses([text], 'allow').ok) return { kind: 'range', text };
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text.toLowerCase());
  const port = match?.[3] === undefined ? undefined : Number(match[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || (port !== undefined && (port < 1 || port > 65_535))) return undefined;
  const address = readAddress(host);
  if (address !== undefined) return { kind: 'host', host: address, port };
  return hostForm.test(host) && !/^[\d.]+$/.test(host) ? { kind: 'host', host, port } : undefined;
}

/** A name as it is compared: lower case, without the root's dot or an IPv6 address's brackets. */
export function plainHost(host: string): string {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  const lower = bare.toLowerCase();
  const plain = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  return readAddress(plain) ?? plain;
}

export type AllowList = {
  /** True when this host, at this port, was listed by name: whatever it resolves to may be dialled. */
  readonly hasHost: (host: string, port: number) => boolean;
  /** True when the address was listed, by itself or in a range. */
  readonly hasAddress: (address: string) => boolean;
};

/** Compiles the operators' list. Entries that are malformed throw a RangeError: the configuration refuses them first. */
export function compileAllowList(entries: readonly string[]): AllowList {
  const hosts = new Set<string>();
  const ranges: string[] = [];
  for (const text of entries) {
    const entry = parseAllowEntry(text);
    if (entry === undefined) throw new RangeError(`\`${text}\` is no entry of an allow-list`);
    if (entry.kind === 'range') ranges.push(entry.text);
    else hosts.add(`${entry.host} ${entry.port ?? '*'}`);
  }
  const compiled = compileAddresses(ranges, 'allow');
  if (!compiled.ok) throw new RangeError('the allow-list holds a malformed range');
  return {
    hasHost: (host, port) => hosts.has(`${plainHost(host)} ${port}`) || hosts.has(`${plainHost(host)} *`),
    hasAddress: compiled.set.has,
  };
}
