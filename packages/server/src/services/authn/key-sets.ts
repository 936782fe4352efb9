// Owns the keys of every trusted issuer: those that are written in its state, and the sources of the others.

import type { TokenIssuer } from '@countersign/core/directory/objects';
import { createKeySource, type KeyPlace, type KeySource, type KeySourceDeps } from './key-source.ts';
import {
  type FoundKey,
  importKey,
  pickKey,
  type VerificationKey,
  type WantedKey,
} from './verification-key.ts';

type Limits = 'maxStaleMs' | 'refreshAfterMs' | 'coolDownMs' | 'timeoutMs';

/** Defaults: keys are good for 24 h, fetched again after 10 min, at most every 30 s, within 5 s a document. */
export type KeySetDeps = Omit<KeySourceDeps, Limits> & Partial<Pick<KeySourceDeps, Limits>>;

export type KeySets = {
  /** The key for a token. An unknown `kid` causes one fetch, or is refused at once while that is not due. */
  readonly find: (issuer: TokenIssuer, wanted: WantedKey) => Promise<FoundKey>;
  /** True as long as the issuer still publishes this very key, as far as is known. */
  readonly holds: (issuer: TokenIssuer, key: VerificationKey) => boolean;
};

const leastCoolDownMs = 30_000;
const maxSources = 2_000;

function placeOf({ issuer, keys }: TokenIssuer): KeyPlace | undefined {
  if (keys.kind === 'jwks') return undefined;
  return keys.kind === 'discovery' ? { kind: 'discovery', issuer } : { kind: 'jwks_uri', url: keys.url };
}

/** Key sets over a way to fetch documents. A cool-down below 30 s counts as 30 s. Never rejects. */
export function createKeySets(deps: KeySetDeps): KeySets {
  const full: KeySourceDeps = {
    ...deps,
    maxStaleMs: deps.maxStaleMs ?? 24 * 3_600_000,
    refreshAfterMs: deps.refreshAfterMs ?? 600_000,
    coolDownMs: Math.max(deps.coolDownMs ?? leastCoolDownMs, leastCoolDownMs),
    timeoutMs: deps.timeoutMs ?? 5_000,
  };
  /** By place: organizations that trust the same issuer share what it publishes, which is public. */
  const sources = new Map<string, KeySource>();
  const fixed = new WeakMap<TokenIssuer, readonly VerificationKey[]>();

  function sourceOf(issuer: TokenIssuer): KeySource | undefined {
    const place = placeOf(issuer);
    if (place === undefined) return undefined;
    const id = place.kind === 'discovery' ? `discovery ${place.issuer}` : `keys ${place.url}`;
    const known = sources.get(id);
    if (known !== undefined) return known;
    const made = createKeySource(full, place);
    sources.set(id, made);
    for (const oldest of sources.keys()) {
      if (sources.size <= maxSources) break;
      sources.delete(oldest);
    }
    return made;
  }

  function fixedKeys(issuer: TokenIssuer): readonly VerificationKey[] {
    const known = fixed.get(issuer);
    if (known !== undefined) return known;
    const members = issuer.keys.kind === 'jwks' ? issuer.keys.jwks.keys : [];
    const made = members.flatMap((member) => importKey(member) ?? []);
    fixed.set(issuer, made);
    return made;
  }

  return {
    async find(issuer, wanted) {
      return sourceOf(issuer)?.find(wanted) ?? pickKey(fixedKeys(issuer), wanted);
    },
    holds(issuer, key) {
      return sourceOf(issuer)?.holds(key) ?? fixedKeys(issuer).includes(key);
    },
  };
}
