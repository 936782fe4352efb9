// Owns where a provider is: its origin, and how the data plane's paths continue its base URL.

import type { Provider } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';

export type BaseUrl = {
  /** Scheme, host and port, as a connection pool names it. */
  readonly origin: string;
  /** What comes before each path, without a slash at its end; often empty. */
  readonly prefix: string;
};

const vendors = {
  openai: 'https://api.openai.com',
  anthropic: 'https://api.anthropic.com',
  openai_compatible: undefined,
  sandbox: undefined,
} as const satisfies Record<Provider['kind'], string | undefined>;

/** The vendor's own address of a kind of provider; `undefined` where only its operator knows it. */
export function defaultBaseUrl(kind: Provider['kind']): string | undefined {
  return vendors[kind];
}

/**
 * Reads a provider's base URL. Throws `AppError('invalid_request')` for a URL that carries what a base cannot:
 * a query, a fragment, a user or a password, or that is not http(s).
 */
export function parseBaseUrl(text: string): BaseUrl {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new AppError('invalid_request', 'the base URL is no http(s) address: write `https://host/path`');
  }
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw new AppError(
      'invalid_request',
      'the base URL has a query, a fragment or a user: keep scheme, host, port and path, and store the key apart',
    );
  }
  return { origin: url.origin, prefix: url.pathname.replace(/\/+$/, '') };
}

/**
 * Continues a base URL with a path of the data plane. Vendors print their base with and without the version
 * (`https://host/api/v1` and `https://host`), and our paths carry it: a base that ends in `/v1` is not given
 * a second one. `/api/v1` + `/v1/models` is `/api/v1/models`; `/openai` + `/v1/models` is `/openai/v1/models`;
 * `/v1` + `/v2/x` is `/v1/v2/x`.
 */
export function joinPath(prefix: string, path: string): string {
  if (prefix === '') return path;
  return prefix.endsWith('/v1') && path.startsWith('/v1/') ? prefix + path.slice(3) : prefix + path;
}
