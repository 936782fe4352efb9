// Owns finding the credential in a request's headers: one text, or the reason why there is none.

import type { RawHeaders } from './headers.ts';

/** Where a credential may stand. Each is read whole; none is preferred. */
const credentialHeaders = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'] as const;
const byName: ReadonlyMap<string, CredentialHeader> = new Map(
  credentialHeaders.map((header) => [header, header]),
);
const userHeader = 'x-countersign-user';
/** b64token (RFC 6750 section 2.1): holds virtual keys and compact JWTs, and no blank or comma. */
const tokenForm = /^[A-Za-z0-9\-._~+/]+=*$/;

export type CredentialHeader = (typeof credentialHeaders)[number];

export type Credentials =
  /** `user` is a person's token beside the application's own credential; absent when none was sent. */
  | { readonly kind: 'credential'; readonly text: string; readonly user?: string }
  | { readonly kind: 'none'; readonly user?: string }
  /** Two different texts: nobody can say which of them the caller meant. */
  | { readonly kind: 'conflict'; readonly message: string }
  | { readonly kind: 'malformed'; readonly message: string };

/** The lower-case name when it is one of those that carry credentials. Cheap for all others: their lengths differ. */
function credentialName(name: string): CredentialHeader | typeof userHeader | undefined {
  const { length } = name;
  if (length !== 7 && length !== 9 && length !== 13 && length !== 14 && length !== 18) return undefined;
  const lower = name.toLowerCase();
  return lower === userHeader ? userHeader : byName.get(lower);
}

const usualScheme = 'Bearer ';

/** The token after the scheme `Bearer` in any case; '' when nothing follows; undefined for another scheme. */
function bearerToken(value: string): string | undefined {
  if (value.startsWith(usualScheme)) return value.slice(usualScheme.length).trim();
  const match = /^bearer(?:[ \t]+(.*))?$/i.exec(value);
  return match === null ? undefined : (match[1] ?? '').trim();
}

/**
 * The request's one credential from `Authorization: Bearer`, `x-api-key`, `api-key` and `x-goog-api-key`, and
 * the person's token from `x-countersign-user`. The same text twice is one credential; two texts that differ,
 * in one header or in several, are a conflict; an empty value counts as absent. Another scheme than Bearer, or
 * characters that no token has, are malformed. Messages hold names of headers only.
 */
export function readCredentials(headers: RawHeaders): Credentials {
  let text: string | undefined;
  let from: CredentialHeader | undefined;
  let user: string | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = credentialName(headers[i] ?? '');
    if (name === undefined) continue;
    const value = (headers[i + 1] ?? '').trim();
    if (value === '') continue;
    const token = name === 'authorization' ? bearerToken(value) : value;
    if (token === undefined) {
      return { kind: 'malformed', message: '`authorization` has another scheme; send `Bearer` and the key' };
    }
    if (token === '') continue;
    if (!tokenForm.test(token)) {
      return { kind: 'malformed', message: `\`${name}\` holds characters that no key or token has` };
    }
    if (name === userHeader) {
      if (user !== undefined && user !== token) {
        return { kind: 'conflict', message: `\`${userHeader}\` carries two different tokens; send one` };
      }
      user = token;
      continue;
    }
    if (text !== undefined && text !== token) {
      const where = from === name ? `\`${name}\` carries` : `\`${from}\` and \`${name}\` carry`;
      return { kind: 'conflict', message: `${where} two different credentials; send one` };
    }
    text = token;
    from = name;
  }
  const beside = user === undefined ? {} : { user };
  return text === undefined ? { kind: 'none', ...beside } : { kind: 'credential', text, ...beside };
}
