// Owns the arrival of a token's person: in the directory before the request goes on, with what the claims give now.

import { externalKey } from '@countersign/core/directory/directory';
import type { User } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { type Arrival, type ArrivalDeps, createTurns } from './arrival-turns.ts';
import { claimedDifference, isSettled } from './claimed-standing.ts';
import type { TokenSnapshot } from './issuer-index.ts';
import type { VerifiedToken } from './verify-jwt.ts';

const maxTakes = 20;
const maxRemembered = 50_000;

type Newest = {
  readonly issuer: VerifiedToken['issuer'];
  readonly issuedAt: number;
  readonly claims: string;
};

function claimsKey({ claims }: VerifiedToken): string {
  return [...claims.roles, '', ...claims.teams].join(' ');
}

function arrivalOf({ issuer, claims }: VerifiedToken, subject: string): Arrival {
  const { roles, teams, email, name } = claims;
  return {
    issuerId: issuer.id,
    subject,
    roles,
    teams,
    ...(email === undefined ? {} : { email }),
    ...(name === undefined ? {} : { name }),
  };
}

/** True when the directory lacks nothing that this token gives, and holds nothing from its issuer that it does not. */
function isArrived(snapshot: TokenSnapshot, token: VerifiedToken, user: User | undefined): boolean {
  const { directory } = snapshot;
  // The issuer has changed since the token was verified: the decision sees it as it is now.
  if (directory.tables.tokenIssuer.get(token.issuer.id) !== token.issuer) return true;
  if (user === undefined) return !token.issuer.justInTime;
  // A person who is suspended stays as they are: the decision refuses them.
  if (user.status !== 'active') return true;
  const held = {
    roles: [...(directory.byPrincipal.roles.get(user.id)?.values() ?? [])],
    memberships: [...(directory.byPrincipal.memberships.get(user.id)?.values() ?? [])],
  };
  return isSettled(
    claimedDifference(token.issuer, token.claims, held, (id) => directory.tables.team.has(id)),
  );
}

/** The newest token of each person, so that older ones are known as such. Bounded: the longest unseen goes first. */
function createNewest() {
  const newest = new Map<string, Newest>();
  return {
    /** True for a token issued before the newest one, or at its second with other claims. */
    isOutdated(id: string, token: VerifiedToken): boolean {
      const last = newest.get(id);
      if (last === undefined || last.issuer !== token.issuer) return false;
      const { issuedAt } = token.claims;
      return issuedAt < last.issuedAt || (issuedAt === last.issuedAt && claimsKey(token) !== last.claims);
    },
    remember(id: string, token: VerifiedToken): void {
      newest.delete(id);
      newest.set(id, { issuer: token.issuer, issuedAt: token.claims.issuedAt, claims: claimsKey(token) });
      for (const oldest of newest.keys()) {
        if (newest.size <= maxRemembered) break;
        newest.delete(oldest);
      }
    },
  };
}

/**
 * `arrive` resolves when the token's person is in the directory as the token says, in the very memory that will
 * decide; one at a time for each (issuer, subject). Of several tokens of one person the one issued last counts,
 * so that an older one neither gives back what was withdrawn nor makes the roles change at each request.
 */
export function createArrivals(deps: ArrivalDeps): {
  readonly arrive: (token: VerifiedToken, subject: string) => Promise<void>;
} {
  const { snapshots } = deps;
  const running = new Map<string, Promise<void>>();
  const newest = createNewest();
  const bringTogether = createTurns(deps);
  /** The version at which a token was last seen to have nothing to change. */
  const settledAt = new WeakMap<VerifiedToken, number>();

  async function bring(token: VerifiedToken, subject: string): Promise<void> {
    const { orgId, issuer } = token;
    const external = externalKey(issuer.id, subject);
    const id = `${orgId} ${external}`;
    for (let take = 0; take < maxTakes; take += 1) {
      const snapshot = await snapshots.get(orgId);
      const version = snapshot.version();
      const user = snapshot.directory.usersByExternal.get(external);
      const isOutdated = user !== undefined && newest.isOutdated(id, token);
      if (isOutdated || isArrived(snapshot, token, user)) {
        if (user !== undefined && !isOutdated) newest.remember(id, token);
        settledAt.set(token, version);
        return;
      }
      await bringTogether(orgId, arrivalOf(token, subject));
    }
    throw new AppError('overloaded', 'the organization is changing too fast: retry shortly', {
      retryAfterSeconds: 1,
    });
  }

  return {
    async arrive(token, subject) {
      const { orgId, issuer } = token;
      // Nothing has changed since this very token was found settled: the usual case, without a look.
      const version = snapshots.peek(orgId)?.version();
      if (version !== undefined && settledAt.get(token) === version) return;
      const id = `${orgId} ${externalKey(issuer.id, subject)}`;
      // INVARIANT: another token of the same person may be arriving with other claims: ours is looked at after it.
      for (let other = running.get(id); other !== undefined; other = running.get(id))
        await other.catch(() => undefined);
      const started = bring(token, subject).finally(() => running.delete(id));
      running.set(id, started);
      await started;
    },
  };
}
