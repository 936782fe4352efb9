// Owns what an upstream's URL may hold: no secret, because it is recorded, and nothing that hides its target.

import { AppError } from '@countersign/core/errors';

/** Throws `invalid_request` for a URL with a user, a password, a query or a fragment. */
export function demandPlainUrl(field: string, text: string | undefined): void {
  if (text === undefined) return;
  const url = URL.parse(text);
  const isPlain =
    url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (isPlain) return;
  throw new AppError(
    'invalid_request',
    `\`${field}\` must be a URL without a user, a password, a query or a fragment: it stands in the record`,
  );
}

/** Scheme, host and port; the empty text for no URL. */
export function originOf(text: string | undefined): string {
  return text === undefined ? '' : (URL.parse(text)?.origin ?? '');
}
