// Owns finding a claim by its configured path, and reading it as text, names or an instant without trusting its shape.

import { isObject } from '../json.ts';

export type Claims = { readonly [name: string]: unknown };

/** The last second of the year 9999: a larger number is milliseconds, or a mistake that would never expire. */
const lastInstant = 253_402_300_799;

/**
 * The value at `path`, or undefined. At each level the longest own key that begins the rest of the path and
 * ends it or is followed by a dot is taken: so `https://example.com/roles` names itself, `realm_access.roles`
 * descends, and `resource_access.my.app.roles` finds the application `my.app`. Only objects are descended
 * into, and only their own properties count.
 */
export function claimAt(claims: Claims, path: string): unknown {
  let value: unknown = claims;
  let rest = path;
  while (isObject(value)) {
    if (Object.hasOwn(value, rest)) return value[rest];
    let dot = rest.lastIndexOf('.');
    while (dot >= 0 && !Object.hasOwn(value, rest.slice(0, dot))) {
      dot = dot === 0 ? -1 : rest.lastIndexOf('.', dot - 1);
    }
    if (dot < 0) return undefined;
    value = value[rest.slice(0, dot)];
    rest = rest.slice(dot + 1);
  }
  return undefined;
}

/**
 * Text of 1 to `maxLength` UTF-16 units, or undefined. Unpaired surrogates are refused: all of them become
 * one character in UTF-8, so two different names would have one hash.
 */
export function textOf(value: unknown, maxLength: number): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= maxLength && value.isWellFormed()
    ? value
    : undefined;
}

/** Names in a claim that is one text or an array of texts; anything else has none. A text is never split. */
export function namesIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) return [];
  const items: readonly unknown[] = value;
  return items.filter((item) => typeof item === 'string');
}

/** Seconds since 1970 (RFC 7519 NumericDate), or undefined for what is no plausible instant. */
export function instantOf(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= lastInstant ? value : undefined;
}

/** Scalars of a claim as text: what `requiredClaims` compares. `scope` and `scp` are lists of words (RFC 8693 section 4.2). */
export function scalarsOf(path: string, value: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.flatMap((item) => {
    if (typeof item === 'boolean' || typeof item === 'number') return [String(item)];
    if (typeof item !== 'string') return [];
    return path === 'scope' || path === 'scp' ? [item, ...item.split(' ')] : [item];
  });
}
