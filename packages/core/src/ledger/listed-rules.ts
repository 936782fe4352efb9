// Owns which ids of a long list an entry names, and how it counts the rest: the same for who writes and who replays.

import { utf8Length } from './canonical.ts';

const mostRuleBytes = 2_048;
const mostErrorBytes = 1_024;
const mostTeamBytes = 2_048;

/** The first of some ids, and how many were left out. */
export type Listed = { readonly ids: readonly string[]; readonly more: number };

/** As many of the first ids as fit `most` bytes of UTF-8, and at least one. */
export function listed(ids: readonly string[], most: number): Listed {
  let bytes = 0;
  for (const [at, id] of ids.entries()) {
    bytes += utf8Length(id);
    if (bytes > most && at > 0) return { ids: ids.slice(0, at), more: ids.length - at };
  }
  return { ids, more: 0 };
}

/** The members of an entry's `policy` that name rules. */
export type ListedRules = {
  readonly rules: readonly string[];
  readonly more?: number;
  readonly errors?: readonly string[];
  readonly more_errors?: number;
};

/** What an entry says of the rules of a decision, however many there are. */
export function listedRules(decision: {
  readonly policyIds: readonly string[];
  readonly errors: readonly { readonly policyId: string }[];
}): ListedRules {
  const { policyIds, errors } = decision;
  const rules = listed(policyIds, mostRuleBytes);
  const named = { rules: rules.ids, ...(rules.more === 0 ? {} : { more: rules.more }) };
  if (errors.length === 0) return named;
  const erring = listed(
    errors.map(({ policyId }) => policyId),
    mostErrorBytes,
  );
  return { ...named, errors: erring.ids, ...(erring.more === 0 ? {} : { more_errors: erring.more }) };
}

/** What the entry of a refusal says of an actor's teams where it cannot hold them all. */
export function listedTeams(teams: readonly string[]): {
  readonly teams: readonly string[];
  readonly more_teams?: number;
} {
  const { ids, more } = listed(teams, mostTeamBytes);
  return { teams: ids, ...(more === 0 ? {} : { more_teams: more }) };
}
