// Owns the parts of entries that are rendered once a version, each kind by what it is made of.

import type { Fragment } from '@countersign/core/ledger/canonical';

/** What a target's text is made of, beside the organization's own objects. */
export type TargetParts = {
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
  /** By the key that acts. */
  readonly actors: Map<string, Fragment>;
  /** Decisions of a single permit without obligations, by its id. */
  readonly permits: Map<string, Fragment>;
  /** Prompts in which nothing was found, by the detectors that looked. */
  readonly nothingFound: Map<string, Fragment>;
  readonly target: (modelId: string, parts: TargetParts) => Fragment | undefined;
  readonly setTarget: (modelId: string, parts: TargetParts, made: Fragment) => void;
  readonly clear: () => void;
};

type KnownTarget = { readonly parts: TargetParts; readonly made: Fragment };

/** Names that clients and providers choose are among the parts: only so many are kept for each model. */
const mostTargets = 8;

function isSame(one: TargetParts, two: TargetParts): boolean {
  return (
    one.requested === two.requested &&
    one.endpoint === two.endpoint &&
    one.route === two.route &&
    one.served === two.served &&
    one.pinned === two.pinned
  );
}

export function createRendered(): Rendered {
  const actors = new Map<string, Fragment>();
  const permits = new Map<string, Fragment>();
  const nothingFound = new Map<string, Fragment>();
  const targets = new Map<string, KnownTarget[]>();
  return {
    actors,
    permits,
    nothingFound,
    target(modelId, parts) {
      const known = targets.get(modelId);
      if (known === undefined) return undefined;
      for (const one of known) if (isSame(one.parts, parts)) return one.made;
      return undefined;
    },
    setTarget(modelId, parts, made) {
      const known = targets.get(modelId) ?? [];
      if (known.length >= mostTargets) known.length = 0;
      known.push({ parts, made });
      targets.set(modelId, known);
    },
    clear() {
      actors.clear();
      permits.clear();
      nothingFound.clear();
      targets.clear();
    },
  };
}
