// Owns the difference between what a token's claims give a person and what the directory holds from its issuer.

import type { Role } from '@countersign/core/access/permissions';
import {
  type Membership,
  mostTeams,
  type RoleAssignment,
  type TokenIssuer,
} from '@countersign/core/directory/objects';
import type { MembershipId, RoleAssignmentId, TeamId } from '@countersign/core/ids';

/** Mapped roles and teams of a token. */
export type Claimed = { readonly roles: readonly Role[]; readonly teams: readonly TeamId[] };

/** What a person holds, whoever gave it. */
export type Held = {
  readonly roles: readonly RoleAssignment[];
  readonly memberships: readonly Membership[];
};

export type StandingDifference = {
  readonly removeRoles: readonly RoleAssignmentId[];
  readonly removeMemberships: readonly MembershipId[];
  readonly addRoles: readonly Role[];
  readonly addTeams: readonly TeamId[];
};

/** Changes of each sort in one step, so that its entry stays within bounds: the next step does the rest. */
const maxAtOnce = 50;

/**
 * Roles that these claims give in the issuer's workspace. INVARIANT: `owner` never, whatever the map says.
 * An issuer that maps no roles at all gives `member`; one that does gives nothing to whom it maps to nothing.
 */
export function givenRoles(issuer: TokenIssuer, roles: readonly Role[]): readonly Role[] {
  if (issuer.claims.roles === undefined || Object.keys(issuer.roleMap).length === 0) return ['member'];
  const mappable = new Set(Object.values(issuer.roleMap));
  return [...new Set(roles)].filter((role) => role !== 'owner' && mappable.has(role));
}

/**
 * What to add and what to take away, so that what is held from this issuer is what it now claims. What others
 * gave stays, and is not given twice. Of the teams claimed as many are given, in their order, as a person may be in;
 * who is in more stays there. `isTeam` tells which teams exist.
 */
export function claimedDifference(
  issuer: TokenIssuer,
  claimed: Claimed,
  held: Held,
  isTeam: (id: TeamId) => boolean,
): StandingDifference {
  const roles = givenRoles(issuer, claimed.roles);
  const mappable = new Set(Object.values(issuer.teamMap));
  const teams = [...new Set(claimed.teams)].filter((id) => mappable.has(id) && isTeam(id));
  const isGiven = (held: RoleAssignment): boolean =>
    held.workspaceId === issuer.workspaceId && roles.includes(held.role);
  const hasRole = (role: Role): boolean =>
    held.roles.some((one) => one.role === role && one.workspaceId === issuer.workspaceId);
  const removeMemberships = held.memberships
    .filter(({ source, teamId }) => source === issuer.id && !teams.includes(teamId))
    .map(({ id }) => id)
    .slice(0, maxAtOnce);
  const room = Math.max(0, mostTeams - (held.memberships.length - removeMemberships.length));
  return {
    removeRoles: held.roles.filter((one) => one.source === issuer.id && !isGiven(one)).map(({ id }) => id),
    removeMemberships,
    addRoles: roles.filter((role) => !hasRole(role)),
    addTeams: teams
      .filter((id) => !held.memberships.some(({ teamId }) => teamId === id))
      .slice(0, Math.min(room, maxAtOnce)),
  };
}

/** True when nothing is to be done. */
export function isSettled(difference: StandingDifference): boolean {
  const { removeRoles, removeMemberships, addRoles, addTeams } = difference;
  return removeRoles.length + removeMemberships.length + addRoles.length + addTeams.length === 0;
}
