// Owns the search for secrets where none may be: each known secret in every form that code turns bytes into.

/** A secret by the name under which a leak of it is reported. */
export type Canary = { readonly name: string; readonly secret: string };

/** Where something was said or written. */
export type Place = { readonly name: string; readonly bytes: Uint8Array | string };

/** Base64 of a secret that lies anywhere in a longer text: its whole groups at each of the three offsets. */
function base64Cores(bytes: Buffer, encoding: 'base64' | 'base64url'): readonly string[] {
  return [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString(encoding)
      .replaceAll('=', '');
    return text.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + bytes.length) * 4) / 3));
  });
}

/** The secret as itself, escaped for a URL, in hex and in base64; in halves too, because a cut leaks as well. */
function formsOf(secret: string): readonly Buffer[] {
  const bytes = Buffer.from(secret, 'utf8');
  const middle = Math.floor(secret.length / 2);
  const texts = [
    secret,
    secret.slice(0, middle).length >= 16 ? secret.slice(middle) : secret,
    encodeURIComponent(secret),
    bytes.toString('hex'),
    ...base64Cores(bytes, 'base64'),
    ...base64Cores(bytes, 'base64url'),
    ...(/^[0-9a-f]{32,}$/.test(secret) ? [Buffer.from(secret, 'hex').toString('base64').slice(0, -2)] : []),
  ];
  const raw = /^[0-9a-f]{32,}$/.test(secret) ? [Buffer.from(secret, 'hex')] : [];
  return [...new Set(texts)].map((text) => Buffer.from(text, 'utf8')).concat(raw);
}

/** Every place that holds a canary in any form, as `canary in place`. */
export function leaksIn(canaries: readonly Canary[], places: readonly Place[]): readonly string[] {
  const forms = canaries.map(({ name, secret }) => ({ name, forms: formsOf(secret) }));
  return places.flatMap((place) => {
    const bytes = Buffer.from(place.bytes);
    return forms
      .filter((canary) => canary.forms.some((form) => bytes.includes(form)))
      .map((canary) => `${canary.name} in ${place.name}`);
  });
}
