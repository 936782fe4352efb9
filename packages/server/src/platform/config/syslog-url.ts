// Owns the address of a syslog receiver, as an operator writes it.

import { readHost } from '../egress/address.ts';

/** `host` as in a URL, IPv6 in brackets. */
export type SyslogPlace = {
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly host: string;
  readonly port: number;
};

/** The ports of RFC 5426 3.3, of `syslog-conn` at IANA, and of RFC 5425 4.1. */
const ports = { udp: 514, tcp: 601, tls: 6514 } as const;

const form = /^(udp|tcp|tls):\/\/(\[[^\]]*\]|[^:/[\]@?#]+)(?::(\d{1,5}))?\/?$/;

/** Reads `udp://host:514`, `tcp://host:601` or `tls://host:6514`; without a port it is this one. `undefined` for all else. */
export function readSyslogUrl(text: string): SyslogPlace | undefined {
  const [, scheme, host = '', digits] = form.exec(text) ?? [];
  if (scheme !== 'udp' && scheme !== 'tcp' && scheme !== 'tls') return undefined;
  const port = digits === undefined ? ports[scheme] : Number(digits);
  if (readHost(host) === undefined || port < 1 || port > 65_535) return undefined;
  return { transport: scheme, host, port };
}
