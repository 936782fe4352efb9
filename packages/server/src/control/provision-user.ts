// Owns what a trusted token changes in the directory: a person at the first one, roles and teams at each that differs.

import { email } from '@countersign/contract/directory-operations';
import { operation } from '@countersign/contract/operation';
import { roles } from '@countersign/core/access/permissions';
import type {
  Change,
  Membership,
  RoleAssignment,
  TokenIssuer,
  User,
} from '@countersign/core/directory/objects';
import { idOf, sha256Hex } from '@countersign/core/directory/scalars';
import type { TeamId, UserId } from '@countersign/core/ids';
import { plainTextOf } from '@countersign/core/plain-text';
import { z } from 'zod';
import {
  type Claimed,
  claimedDifference,
  type Held,
  type StandingDifference,
} from '../services/authn/claimed-standing.ts';
import type { Profile } from '../services/subjects/profile.ts';
import { type Command, type CommandContext, changed, type SecretWrite } from './command.ts';
import type { View } from './view.ts';

const person = z.strictObject({
  issuerId: idOf('tokenIssuer'),
  /** The commitment to the issuer's subject. */
  subject: sha256Hex,
  roles: z.array(z.enum(roles)),
  teams: z.array(idOf('team')),
  email: z.string().optional(),
  name: z.string().optional(),
});
type Asked = z.infer<typeof person>;

/** Changes after which no further person is begun: the entry that holds them all must stay within its bound. */
const enoughChanges = 50;

/**
 * The operation that the token verifier asks for. It is in no contract: no request can name it, and no
 * permission opens it. Its permission says only what it does.
 */
export const userProvision = operation({
  id: 'user.provision',
  method: 'POST',
  path: '',
  summary: "make trusted tokens' people, and give and take the roles and teams that their claims name",
  tag: 'users',
  permission: ['principals.write'],
  runs: 'command',
  audit: 'user.provisioned',
  params: z.strictObject({}),
  query: z.strictObject({}),
  body: z.strictObject({ people: z.array(person).min(1) }),
  response: z.object({
    /** In the order of the request. Null for those who were not made, and those left for another step. */
    ids: z.array(idOf('user').nullable()),
  }),
  status: 200,
  alsoProduces: [],
});

async function heldBy(view: View, id: UserId): Promise<Held> {
  const assignments = await view.listOwned('roleAssignment', id);
  const memberships = await view.listOwned('membership', id);
  return {
    roles: assignments.map(({ state }) => state),
    memberships: memberships.map(({ state }) => state),
  };
}

async function existing(view: View, ids: readonly TeamId[]): Promise<ReadonlySet<TeamId>> {
  const found = new Set<TeamId>();
  for (const id of ids) if ((await view.find('team', id)) !== undefined) found.add(id);
  return found;
}

function changesOf(
  ctx: CommandContext,
  issuer: TokenIssuer,
  principalId: UserId,
  difference: StandingDifference,
): readonly Change[] {
  const source = issuer.id;
  const { workspaceId } = issuer;
  return [
    ...difference.removeRoles.map((id) => changed({ kind: 'roleAssignment', id, state: null })),
    ...difference.removeMemberships.map((id) => changed({ kind: 'membership', id, state: null })),
    ...difference.addRoles.map((role) => {
      const id = ctx.newId('roleAssignment');
      const state: RoleAssignment = { id, principalId, role, workspaceId, source };
      return changed({ kind: 'roleAssignment', id, state });
    }),
    ...difference.addTeams.map((teamId) => {
      const id = ctx.newId('membership');
      const state: Membership = { id, principalId, teamId, source };
      return changed({ kind: 'membership', id, state });
    }),
  ];
}

/** Characters of a name that a token gives, as of one that an administrator gives. */
const mostNameLength = 200;

/** INVARIANT: an address never leads to an account; one that another person has is left out of the new profile. */
async function profileOf(view: View, asked: Asked): Promise<Profile> {
  const address = email.safeParse(asked.email);
  const name = plainTextOf(asked.name ?? '', mostNameLength);
  const isFree = address.success && (await view.userByEmail(address.data)) === undefined;
  return {
    ...(isFree ? { email: address.data } : {}),
    ...(name === '' ? {} : { name }),
  };
}

type Provisioned = {
  readonly id: UserId | null;
  readonly changes: readonly Change[];
  readonly secrets: readonly SecretWrite[];
};

async function provisionOne(view: View, ctx: CommandContext, asked: Asked): Promise<Provisioned> {
  const none = { changes: [], secrets: [] };
  const issuer = (await view.find('tokenIssuer', asked.issuerId))?.state;
  if (issuer?.status !== 'active') return { id: null, ...none };
  const claimed: Claimed = { roles: asked.roles, teams: asked.teams };
  const teams = await existing(view, asked.teams);
  const isTeam = (id: TeamId): boolean => teams.has(id);
  const known = (await view.findByKey('user', `${issuer.id} ${asked.subject}`))?.state;
  if (known !== undefined) {
    if (known.status !== 'active') return { id: known.id, ...none };
    const difference = claimedDifference(issuer, claimed, await heldBy(view, known.id), isTeam);
    return { id: known.id, changes: changesOf(ctx, issuer, known.id, difference), secrets: [] };
  }
  if (!issuer.justInTime) return { id: null, ...none };
  const id = ctx.newId('user');
  const state: User = { id, status: 'active', external: { issuerId: issuer.id, subject: asked.subject } };
  const difference = claimedDifference(issuer, claimed, { roles: [], memberships: [] }, isTeam);
  return {
    id,
    changes: [changed({ kind: 'user', id, state }), ...changesOf(ctx, issuer, id, difference)],
    secrets: [{ kind: 'subject', id, profile: await profileOf(view, asked) }],
  };
}

function isSecondOf(people: readonly Asked[], at: number): boolean {
  const asked = people[at];
  return people.findIndex((one) => one.issuerId === asked?.issuerId && one.subject === asked.subject) < at;
}

/**
 * Makes the person of each (issuer, subject) where the issuer may do so, and brings roles and teams whose source
 * is that issuer to what is claimed. `direct` ones stay; a person who is suspended stays as they are, whatever
 * the token says. Changes nothing when all is as claimed. Many at once make one version.
 */
export const provisionUser: Command<typeof userProvision> = async (view, ctx, { body }) => {
  const ids: (UserId | null)[] = [];
  const changes: Change[] = [];
  const secrets: SecretWrite[] = [];
  const addresses = new Set<string>();
  for (const [at, asked] of body.people.entries()) {
    // The view shows nothing of this command's own changes: what could meet one of them is left for another step.
    const address = asked.email?.trim().toLowerCase();
    const isTwin = isSecondOf(body.people, at) || (address !== undefined && addresses.has(address));
    const isLate = changes.length >= enoughChanges;
    const one = isTwin || isLate ? undefined : await provisionOne(view, ctx, asked);
    ids.push(one?.id ?? null);
    changes.push(...(one?.changes ?? []));
    secrets.push(...(one?.secrets ?? []));
    if (address !== undefined) addresses.add(address);
  }
  return { response: { ids }, changes, secrets };
};
