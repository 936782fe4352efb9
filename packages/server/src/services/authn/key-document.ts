// Owns reading an issuer's published keys: OpenID Connect discovery and JWK sets, bounded and held to form.

import { AppError } from '@countersign/core/errors';
import { parseJson } from '@countersign/core/parse-json';
import { z } from 'zod';

/** What one GET brought. */
export type FetchedDocument = {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
};

/** One GET without redirects, through the process's one dialer. Rejects when a limit is passed. */
export type FetchDocument = (
  url: string,
  limits: { readonly maxBytes: number; readonly timeoutMs: number },
) => Promise<FetchedDocument>;

const maxDocumentBytes = 256 * 1024;
const maxKeys = 100;

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });
const jwksSchema = z.object({ keys: z.array(z.unknown()).max(maxKeys) });

function invalid(url: string, why: string, cause?: unknown): AppError {
  const message = `\`${url}\` ${why}: look at what the token issuer publishes there`;
  return new AppError('upstream_invalid', message, cause === undefined ? {} : { cause });
}

async function fetchJson(fetchDocument: FetchDocument, url: string, timeoutMs: number): Promise<unknown> {
  const { status, body } = await fetchDocument(url, { maxBytes: maxDocumentBytes, timeoutMs });
  if (status !== 200) throw invalid(url, `answered ${status}`);
  if (body.length > maxDocumentBytes) throw invalid(url, `is longer than ${maxDocumentBytes} bytes`);
  try {
    const json: unknown = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return json;
  } catch (error) {
    throw invalid(url, 'is not JSON', error);
  }
}

/** OpenID Connect Discovery 1.0 section 4: the path is appended after a terminating slash is removed. */
export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/**
 * Where the issuer publishes its keys. Rejects unless the document's `issuer` is exactly this one (section 4.3)
 * and its key set is at least as well protected on the way as the issuer itself.
 */
export async function discoverKeys(
  fetchDocument: FetchDocument,
  issuer: string,
  timeoutMs: number,
): Promise<string> {
  const url = discoveryUrl(issuer);
  const parsed = discoverySchema.safeParse(await fetchJson(fetchDocument, url, timeoutMs));
  if (!parsed.success) throw invalid(url, 'has no `issuer` or no `jwks_uri`', parsed.error);
  const { issuer: named, jwks_uri: found } = parsed.data;
  if (named !== issuer) throw invalid(url, `does not name \`${issuer}\` as its \`issuer\``);
  const { protocol, username, password } = new URL(found);
  if (username !== '' || password !== '') throw invalid(url, 'has a `jwks_uri` with a password');
  if (protocol !== 'https:' && new URL(issuer).protocol === 'https:')
    throw invalid(url, 'has a `jwks_uri` without TLS');
  return found;
}

/** The members of the key set at `url`, not yet imported. An empty set is an answer: no key is good. */
export async function fetchKeys(
  fetchDocument: FetchDocument,
  url: string,
  timeoutMs: number,
): Promise<readonly unknown[]> {
  const parsed = jwksSchema.safeParse(await fetchJson(fetchDocument, url, timeoutMs));
  if (!parsed.success) throw invalid(url, `is no key set of at most ${maxKeys} keys`, parsed.error);
  return parsed.data.keys;
}
