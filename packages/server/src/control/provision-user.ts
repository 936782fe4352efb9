// Owns what a trusted token changes in the directory: a person at the first one, roles and teams at each that differs.

import { email, userView } from '@countersign/contract/directory-operations';
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
import { AppError } from '@countersign/core/errors';
import type { TeamId, UserId } from '@countersign/core/ids';
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

/**
 * The operation that the token verifier asks for. It is in no contract: no request can name it, and no
 * permission opens it. Its permission says only what it does.
 */
export const userProvision = operation({
  id: 'user.provision',
  method: 'POST',
  path: '',
  summary: "make a trusted token's person, and give and take the roles and teams that its claims name",
  tag: 'users',
  permission: ['principals.write'],
  runs: 'command',
  audit: 'user.provisioned',
  params: z.strictObject({}),
  query: z.strictObject({}),
  body: z.strictObject({
    issuerId: idOf('tokenIssuer'),
    /** The commitment to the issuer's subject. */
    subject: sha256Hex,
    roles: z.array(z.enum(roles)),
    teams: z.array(idOf('team')),
    email: z.string().optional(),
    name: z.string().optional(),
  }),
  response: userView.pick({ id: true }),
  status: 200,
  alsoProduces: [],
});

type Asked = z.infer<typeof userProvision.body>;

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

/** INVARIANT: an address never leads to an account; one that another person has is left out of the new profile. */
async function profileOf(view: View, asked: Asked): Promise<Profile> {
  const address = email.safeParse(asked.email);
  const isFree = address.success && (await view.userByEmail(address.data)) === undefined;
  return {
    ...(isFree ? { email: address.data } : {}),
    ...(asked.name === undefined ? {} : { name: asked.name }),
  };
}

async function demandIssuer(view: View, asked: Asked): Promise<TokenIssuer> {
  const issuer = (await view.find('tokenIssuer', asked.issuerId))?.state;
  if (issuer?.status === 'active') return issuer;
  throw new AppError('authentication_failed', 'the token issuer is no longer trusted: get another token');
}

/**
 * Makes the person of (issuer, subject) where the issuer may do so, and brings roles and teams whose source is
 * this issuer to what is claimed. `direct` ones stay; a person who is suspended stays as they are, whatever
 * the token says. Changes nothing when all is as claimed.
 */
export const provisionUser: Command<typeof userProvision> = async (view, ctx, { body }) => {
  const issuer = await demandIssuer(view, body);
  const claimed: Claimed = { roles: body.roles, teams: body.teams };
  const teams = await existing(view, body.teams);
  const isTeam = (id: TeamId): boolean => teams.has(id);
  const known = (await view.findByKey('user', `${issuer.id} ${body.subject}`))?.state;
  if (known !== undefined) {
    if (known.status !== 'active') return { response: { id: known.id }, changes: [] };
    const difference = claimedDifference(issuer, claimed, await heldBy(view, known.id), isTeam);
    return { response: { id: known.id }, changes: changesOf(ctx, issuer, known.id, difference) };
  }
  if (!issuer.justInTime) {
    throw new AppError(
      'authentication_failed',
      `the token issuer \`${issuer.name}\` makes no people: ask an owner to switch that on`,
    );
  }
  const id = ctx.newId('user');
  const state: User = { id, status: 'active', external: { issuerId: issuer.id, subject: body.subject } };
  const difference = claimedDifference(issuer, claimed, { roles: [], memberships: [] }, isTeam);
  const secrets: readonly SecretWrite[] = [{ kind: 'subject', id, profile: await profileOf(view, body) }];
  return {
    response: { id },
    changes: [changed({ kind: 'user', id, state }), ...changesOf(ctx, issuer, id, difference)],
    secrets,
  };
};
