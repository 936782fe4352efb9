// Owns the parts of entries that are rendered once a version, each kind by what it is made of.

import type { Fragment } from '@countersign/core/ledger/canonical';
import { ownText } from '../../platform/memory/own-text.ts';

/**
 * Texts by the name of what they are made of. INVARIANT: each is held to the very object that it was made of. A call
 * belongs to the version that decided it, and its outcome is rendered when others may have followed: a name alone
 * would give that call the newer text, and leave the older one for the next call.
 */
export type Kept = {
  readonly get: (name: string, of: object) => Fragment | undefined;
  readonly set: (name: string, of: object, made: Fragment) => void;
  readonly clear: () => void;
};

/** What a target's text is made of. */
export type TargetParts = {
  readonly model: { readonly id: string };
  readonly provider: object;
  /** The model as the request names it. */
  readonly requested: string;
  readonly endpoint: string;
  readonly route: string;
  readonly pinned: string | undefined;
  readonly served: string | undefined;
};

/**
 * Names of a call's own making are compared, not joined to a longer name: each such name would be a text of its own,
 * made, laid flat and hashed for each call.
 */
export type Rendered = {
  /** Decisions of a single permit without obligations, by its id, of the policy that took them. */
  readonly permits: Kept;
  /** Prompts in which nothing was found, by the detectors that looked. */
  readonly nothingFound: Map<string, Fragment>;
  readonly target: (parts: TargetParts) => Fragment | undefined;
  readonly setTarget: (parts: TargetParts, made: Fragment) => void;
  readonly clear: () => void;
};

type KnownTarget = { readonly parts: TargetParts; readonly made: Fragment };

/** Names that clients and providers choose are among the parts: only so many are kept for each model. */
const mostTargets = 8;

function isSame(one: TargetParts, two: TargetParts): boolean {
  return (
    one.model === two.model &&
    one.provider === two.provider &&
    one.requested === two.requested &&
    one.endpoint === two.endpoint &&
    one.route === two.route &&
    one.served === two.served &&
    one.pinned === two.pinned
  );
}

function createKept(): Kept {
  const kept = new Map<string, { readonly of: object; readonly made: Fragment }>();
  return {
    get(name, of) {
      const known = kept.get(name);
      return known?.of === of ? known.made : undefined;
    },
    set: (name, of, made) => void kept.set(name, { of, made }),
    clear: () => kept.clear(),
  };
}

export function createRendered(): Rendered {
  const permits = createKept();
  const nothingFound = new Map<string, Fragment>();
  const targets = new Map<string, KnownTarget[]>();
  return {
    permits,
    nothingFound,
    target(parts) {
      const known = targets.get(parts.model.id);
      if (known === undefined) return undefined;
      for (const one of known) if (isSame(one.parts, parts)) return one.made;
      return undefined;
    },
    setTarget(parts, made) {
      const known = targets.get(parts.model.id) ?? [];
      if (known.length >= mostTargets) known.length = 0;
      known.push({ parts: { ...parts, route: ownText(parts.route) }, made });
      targets.set(parts.model.id, known);
    },
    clear() {
      permits.clear();
      nothingFound.clear();
      targets.clear();
    },
  };
}
