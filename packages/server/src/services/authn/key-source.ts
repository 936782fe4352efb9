// Owns one place where an issuer publishes keys: when it is asked, what is kept of it, and for how long.

import { discoverKeys, type FetchDocument, fetchKeys } from './key-document.ts';
import {
  type FoundKey,
  importKey,
  pickKey,
  type VerificationKey,
  type WantedKey,
} from './verification-key.ts';

export type KeySourceDeps = {
  readonly fetchDocument: FetchDocument;
  /** Milliseconds on a clock that never goes back. */
  readonly clock: () => number;
  /** Hears of a fetch that failed; the keys that are there stay in use. `source` is a URL. */
  readonly onFailure: (error: unknown, source: string) => void;
  /** How long keys are good without a successful fetch. */
  readonly maxStaleMs: number;
  /** Age at which a use of the keys fetches them again in the background. */
  readonly refreshAfterMs: number;
  /** Least time from one fetch to the next, whatever its end. */
  readonly coolDownMs: number;
  /** Limit for each document. */
  readonly timeoutMs: number;
};

/** Where keys are: an issuer that says where, or the address of the set itself. */
export type KeyPlace =
  | { readonly kind: 'discovery'; readonly issuer: string }
  | { readonly kind: 'jwks_uri'; readonly url: string };

export type KeySource = {
  readonly find: (wanted: WantedKey) => Promise<FoundKey>;
  readonly holds: (key: VerificationKey) => boolean;
};

type Keys = ReadonlyMap<string, VerificationKey>;

/** How long an issuer's word on where its keys are is believed. */
const locationMs = 3_600_000;

/** Where the keys are now; `forget` makes the next call ask the issuer again. */
function createLocator(deps: KeySourceDeps, place: KeyPlace) {
  let known: { readonly url: string; readonly until: number } | undefined;
  return {
    async locate(): Promise<string> {
      if (place.kind === 'jwks_uri') return place.url;
      if (known !== undefined && deps.clock() < known.until) return known.url;
      const url = await discoverKeys(deps.fetchDocument, place.issuer, deps.timeoutMs);
      known = { url, until: deps.clock() + locationMs };
      return url;
    },
    forget(): void {
      known = undefined;
    },
  };
}

/** The keys that are published now; those that were there before stay the same objects. */
async function importAll(deps: KeySourceDeps, url: string, former: Keys | undefined): Promise<Keys> {
  const members = await fetchKeys(deps.fetchDocument, url, deps.timeoutMs);
  const keys = members.flatMap((member) => importKey(member, former) ?? []);
  return new Map(keys.map((key) => [key.fingerprint, key]));
}

/** A source that has not been asked yet. Never rejects: a failure is the refusal of the token that needed it. */
export function createKeySource(deps: KeySourceDeps, place: KeyPlace): KeySource {
  const { clock } = deps;
  const locator = createLocator(deps, place);
  let keys: Keys | undefined;
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let hasFailed = false;
  let running: Promise<void> | undefined;

  async function load(): Promise<void> {
    try {
      keys = await importAll(deps, await locator.locate(), keys);
      fetchedAt = clock();
      hasFailed = false;
    } catch (error) {
      hasFailed = true;
      // The keys may have moved: the next attempt asks the issuer where they are.
      locator.forget();
      deps.onFailure(error, place.kind === 'discovery' ? place.issuer : place.url);
    }
  }

  /** INVARIANT: one fetch at a time and one each cool-down, whatever tokens are presented. */
  function refresh(): Promise<void> | undefined {
    if (running !== undefined) return running;
    if (clock() - attemptedAt < deps.coolDownMs) return undefined;
    attemptedAt = clock();
    running = load().finally(() => {
      running = undefined;
    });
    return running;
  }

  function usable(): Keys | undefined {
    const age = clock() - fetchedAt;
    if (hasFailed || age >= deps.refreshAfterMs) void refresh();
    return age < deps.maxStaleMs ? keys : undefined;
  }

  function pick(wanted: WantedKey): FoundKey {
    const present = usable();
    return present === undefined
      ? { ok: false, reason: 'keys_unavailable' }
      : pickKey([...present.values()], wanted);
  }

  return {
    async find(wanted) {
      if (usable() === undefined) await refresh();
      const found = pick(wanted);
      if (found.ok || found.reason !== 'unknown_key') return found;
      const started = refresh();
      // While the issuer is down nobody waits for it: the background tries again.
      if (started === undefined || hasFailed) return found;
      await started;
      return pick(wanted);
    },
    holds: (key) => usable()?.get(key.fingerprint) === key,
  };
}
