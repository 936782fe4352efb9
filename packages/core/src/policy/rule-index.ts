// Owns the finding of candidate rules: by action, then by one key of the principal or the resource.

import type { RuleKeys } from './scope.ts';
import type { AnyRequest, EntityView } from './types.ts';

/** What the index needs to know of a rule. */
export type Indexed = { readonly keys: RuleKeys };

/** Rules of one action. Each rule is in exactly one place, so no candidate is met twice. */
export type RuleIndex<R extends Indexed> = {
  readonly unkeyed: readonly R[];
  readonly byPrincipal: ReadonlyMap<string, readonly R[]>;
  readonly byResource: ReadonlyMap<string, readonly R[]>;
};

function countKeys(rules: readonly Indexed[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { keys } of rules) {
    for (const key of [...keys.principal, ...keys.resource]) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function rarest(keys: readonly string[], counts: ReadonlyMap<string, number>): string | undefined {
  let best: string | undefined;
  for (const key of keys) {
    if (best === undefined || (counts.get(key) ?? 0) < (counts.get(best) ?? 0)) best = key;
  }
  return best;
}

/** Files each rule under its rarest key, so that a request meets as few candidates as possible. */
export function makeRuleIndex<R extends Indexed>(rules: readonly R[]): RuleIndex<R> {
  const counts = countKeys(rules);
  const unkeyed: R[] = [];
  const byPrincipal = new Map<string, R[]>();
  const byResource = new Map<string, R[]>();
  for (const rule of rules) {
    const principal = rarest(rule.keys.principal, counts);
    const resource = rarest(rule.keys.resource, counts);
    const best = rarest(
      [principal, resource].filter((key) => key !== undefined),
      counts,
    );
    if (best === undefined) {
      unkeyed.push(rule);
      continue;
    }
    const map = best === principal ? byPrincipal : byResource;
    const bucket = map.get(best);
    if (bucket === undefined) map.set(best, [rule]);
    else bucket.push(rule);
  }
  return { unkeyed, byPrincipal, byResource };
}

function collect<R>(
  found: (readonly R[])[],
  buckets: ReadonlyMap<string, readonly R[]>,
  entity: EntityView,
): void {
  if (buckets.size === 0) return;
  const own = buckets.get(entity.uid);
  if (own !== undefined) found.push(own);
  if (entity.ancestors.size <= buckets.size) {
    for (const key of entity.ancestors) {
      const rules = buckets.get(key);
      if (rules !== undefined && key !== entity.uid) found.push(rules);
    }
    return;
  }
  for (const [key, rules] of buckets) {
    if (key !== entity.uid && entity.ancestors.has(key)) found.push(rules);
  }
}

/** The lists of rules that may apply to the request; each rule is in one of them at most. */
export function candidates<R extends Indexed>(
  index: RuleIndex<R>,
  request: AnyRequest,
): readonly (readonly R[])[] {
  const found: (readonly R[])[] = [index.unkeyed];
  collect(found, index.byPrincipal, request.principal);
  collect(found, index.byResource, request.resource);
  return found;
}
