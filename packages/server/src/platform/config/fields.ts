// Owns the kinds of value that a setting can have, each readable from JSON or from an environment variable's text.

import { z } from 'zod';
import { parseCidr } from '../egress/address.ts';
import { parseAllowEntry } from '../egress/allow-list.ts';
import { Secret } from './secret.ts';
import { readSyslogUrl } from './syslog-url.ts';

/** A host and a port to listen on. IPv6 hosts are written in brackets in text, and held without them. */
export type ListenAddress = { readonly host: string; readonly port: number };

/** A whole number between two bounds, from a number or from decimal digits. */
export function integer(min: number, max: number) {
  return z
    .union(
      [
        z.number(),
        z
          .string()
          .regex(/^\d{1,15}$/, 'must be a whole number')
          .transform(Number),
      ],
      {
        error: 'must be a whole number',
      },
    )
    .pipe(z.number().int().min(min).max(max));
}

/** A list of strings, from an array or from text with commas between. Empty text is the empty list. */
export function list(item: z.ZodType<string, string>) {
  const split = z.string().transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );
  return z.union([z.array(z.string()), split], { error: 'must be a list of strings' }).pipe(z.array(item));
}

/** An IP address or a CIDR range, as text. */
export const cidr = z.string().refine((text) => parseCidr(text) !== undefined, {
  error: 'must be an IP address or a range such as `10.0.0.0/8`',
});

/** One entry of the egress allow-list, as text: a host name with or without a port, an address or a range. */
export const allowEntry = z.string().refine((text) => parseAllowEntry(text) !== undefined, {
  error: 'must be a host name, `host:port`, an IP address or a range; no scheme, no path, no wildcard',
});

const listenForm = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/;

function readListen(text: string): ListenAddress | undefined {
  const match = listenForm.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

/** `host:port`, for example `127.0.0.1:7070` or `[::1]:7070`. Port 0 asks the system for a free one. */
export const listenAddress = z.string().transform((text, context): ListenAddress => {
  const listen = readListen(text);
  if (listen !== undefined) return listen;
  context.addIssue({ code: 'custom', message: 'must be `host:port`, for example `127.0.0.1:7070`' });
  return z.NEVER;
});

/** An address as `host:port` text, with brackets around IPv6. */
export function formatListen(listen: ListenAddress): string {
  return listen.host.includes(':') ? `[${listen.host}]:${listen.port}` : `${listen.host}:${listen.port}`;
}

/** True for the host that stands for every address of a machine: one listens on it, and reaches nobody by it. */
export function isWildcard(host: string): boolean {
  return /^\[?[0.:]+\]?$/.test(host);
}

/** The address by which this machine itself reaches one that it listens on. */
export function reachable({ host, port }: ListenAddress): ListenAddress {
  if (!isWildcard(host)) return { host, port };
  return { host: host.includes(':') ? '::1' : '127.0.0.1', port };
}

/** An http or https URL without credentials, query or fragment; held without a slash at its end. */
export const baseUrl = z.string().transform((text, context): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain =
    url !== undefined &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    url.username === '' &&
    url.password === '' &&
    url.search === '' &&
    url.hash === '';
  if (plain) return url.href.replace(/\/+$/, '');
  context.addIssue({ code: 'custom', message: 'must be an http or https URL without query or credentials' });
  return z.NEVER;
});

/** An http or https URL to which something is sent, as text: without credentials or a fragment. */
export const webhookUrl = z.string().refine(
  (text) => {
    const url = URL.parse(text);
    const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:';
    return isHttp && url.username === '' && url.password === '' && !text.includes('#');
  },
  { error: 'must be an https URL without credentials or a fragment' },
);

/** The address of a syslog receiver, as text. */
export const syslogUrl = z.string().refine((text) => readSyslogUrl(text) !== undefined, {
  error: 'must be `udp://host:514`, `tcp://host:601` or `tls://host:6514`',
});

/** Secret text, without the blank space around it that files and shells leave. */
export const secretText = z
  .string()
  .transform((text) => text.trim())
  .pipe(z.string().min(1))
  .transform((text) => new Secret(text));

/** A bearer token (RFC 6750 section 2.1), which stands in a header as it is. */
export const bearerToken = z
  .string()
  .transform((text) => text.trim())
  .pipe(
    z.string().regex(/^[A-Za-z0-9._~+/-]+=*$/, 'must be letters, digits, `-`, `.`, `_`, `~`, `+` and `/`'),
  )
  .transform((text) => new Secret(text));
