// Owns the operations over workspaces, teams, principals and what they belong to.

import { roles } from '@countersign/core/access/permissions';
import {
  agentState,
  membershipState,
  organizationState,
  roleAssignmentState,
  serviceState,
  teamState,
  userState,
  workspaceState,
} from '@countersign/core/directory/objects';
import { clientMode, idOf, objectName } from '@countersign/core/directory/scalars';
import { z } from 'zod';
import { operation } from './operation.ts';
import { create, get, list, remove, update } from './resource.ts';
import { givenCostCentre, nothing, plainText, statedReason } from './shapes.ts';

export const organizationView = organizationState.extend({
  clientMode: clientMode.describe("whether callers' addresses and user agents are kept, sealed"),
  version: z.number().int().describe('the one number: raised by every change'),
  origin: z.string().describe("the ledger's origin"),
  verifierKey: z.string().describe("the ledger's verifier key, to pin"),
});

export const organizationGet = operation({
  id: 'organization.get',
  method: 'GET',
  path: '/organization',
  summary: 'show the organization, its version and the key of its ledger',
  tag: 'organization',
  permission: ['organization.read'],
  runs: 'query',
  audit: null,
  params: nothing,
  query: nothing,
  body: null,
  response: organizationView,
  status: 200,
  alsoProduces: [],
});

export const organizationUpdate = operation({
  id: 'organization.update',
  method: 'PATCH',
  path: '/organization',
  summary: 'change content and client modes, ceilings, default price, retention, legal hold, networks',
  tag: 'organization',
  permission: ['organization.update'],
  runs: 'command',
  audit: 'organization.updated',
  params: nothing,
  query: nothing,
  body: organizationState.omit({ id: true, slug: true, currency: true }).partial().strict(),
  response: organizationView,
  status: 200,
  alsoProduces: [],
});

const workspace = { name: 'workspace', one: 'a workspace', path: 'workspaces' } as const;
export const workspaceCreate = create(
  workspace,
  ['workspaces.write'],
  z.strictObject({ name: objectName, costCentre: givenCostCentre.optional() }),
  workspaceState,
);
export const workspaceList = list(workspace, ['workspaces.read'], workspaceState);
export const workspaceGet = get(workspace, ['workspaces.read'], idOf('workspace'), workspaceState);
export const workspaceUpdate = update(
  workspace,
  ['workspaces.write'],
  idOf('workspace'),
  z.strictObject({
    name: objectName.optional(),
    costCentre: givenCostCentre.nullable().optional(),
    status: z.enum(['active', 'suspended']).optional(),
  }),
  workspaceState,
);

const team = { name: 'team', one: 'a team', path: 'teams' } as const;
export const teamCreate = create(
  team,
  ['teams.write'],
  z.strictObject({
    name: objectName,
    workspaceId: idOf('workspace'),
    costCentre: givenCostCentre.optional(),
  }),
  teamState,
);
export const teamList = list(team, ['teams.read'], teamState);
export const teamGet = get(team, ['teams.read'], idOf('team'), teamState);
export const teamUpdate = update(
  team,
  ['teams.write'],
  idOf('team'),
  z.strictObject({ name: objectName.optional(), costCentre: givenCostCentre.nullable().optional() }),
  teamState,
);
export const teamRemove = remove(team, ['teams.write'], idOf('team'));

const membership = { name: 'membership', one: 'a membership of a team', path: 'memberships' } as const;
export const membershipCreate = create(
  membership,
  ['teams.write'],
  membershipState.omit({ id: true, source: true }).strict(),
  membershipState,
);
export const membershipList = list(membership, ['teams.read'], membershipState);
export const membershipRemove = remove(membership, ['teams.write'], idOf('membership'));

const user = { name: 'user', one: 'a person', path: 'users' } as const;
export const email = z.email().max(254);
export const userView = userState.extend({
  email: email.optional().describe('absent once the person was erased'),
  name: z.string().optional(),
});
export const userCreate = create(
  user,
  ['principals.write'],
  z.strictObject({
    email,
    name: plainText(1, 200).meta({ examples: ['Alice Example'] }),
    costCentre: givenCostCentre.optional(),
    role: z.enum(roles).default('member').describe('the role to begin with'),
    workspaceId: idOf('workspace')
      .optional()
      .describe('where the role holds; absent: in the whole organization'),
  }),
  userView,
);
export const userList = list(user, ['principals.read'], userView);
export const userGet = get(user, ['principals.read'], idOf('user'), userView);
export const userUpdate = update(
  user,
  ['principals.write'],
  idOf('user'),
  z.strictObject({
    email: email.optional(),
    name: plainText(1, 200).optional(),
    costCentre: givenCostCentre.nullable().optional(),
    status: z.enum(['active', 'suspended']).optional(),
  }),
  userView,
);

export const userErase = operation({
  id: 'user.erase',
  method: 'POST',
  path: '/users/{id}/erase',
  summary: "destroy a person's key, after which nothing sealed for them can be read; needs two people",
  tag: 'users',
  permission: ['principals.erase'],
  runs: 'command',
  audit: 'user.erase',
  params: z.strictObject({ id: idOf('user') }),
  query: nothing,
  body: z.strictObject({ reason: statedReason }),
  response: z.object({
    id: idOf('user'),
    state: z.enum(['requested', 'erased']).describe('`requested` until a second person confirms'),
  }),
  status: 200,
  alsoProduces: [],
});

const service = { name: 'service', one: 'a service (an application)', path: 'services' } as const;
export const serviceCreate = create(
  service,
  ['principals.write'],
  z.strictObject({
    name: objectName,
    workspaceId: idOf('workspace'),
    costCentre: givenCostCentre.optional(),
    clientId: plainText(1, 256).optional(),
  }),
  serviceState,
);
export const serviceList = list(service, ['principals.read'], serviceState);
export const serviceGet = get(service, ['principals.read'], idOf('service'), serviceState);
export const serviceUpdate = update(
  service,
  ['principals.write'],
  idOf('service'),
  z.strictObject({
    name: objectName.optional(),
    costCentre: givenCostCentre.nullable().optional(),
    clientId: plainText(1, 256).nullable().optional(),
    status: z.enum(['active', 'suspended']).optional(),
  }),
  serviceState,
);

const agent = { name: 'agent', one: 'an agent', path: 'agents' } as const;
export const agentCreate = create(
  agent,
  ['principals.write', 'keys.create_own'],
  z.strictObject({
    name: objectName,
    workspaceId: idOf('workspace'),
    ownerId: idOf('user').optional().describe('the person it acts for; absent: yourself'),
  }),
  agentState,
);
export const agentList = list(agent, ['principals.read', 'keys.create_own'], agentState);
export const agentGet = get(agent, ['principals.read', 'keys.create_own'], idOf('agent'), agentState);
export const agentUpdate = update(
  agent,
  ['principals.write', 'keys.create_own'],
  idOf('agent'),
  z.strictObject({ name: objectName.optional(), status: z.enum(['active', 'suspended']).optional() }),
  agentState,
);

export const roleList = operation({
  id: 'role.list',
  method: 'GET',
  path: '/roles',
  summary: 'list the built-in roles with their permissions',
  tag: 'roles',
  permission: ['roles.read', 'organization.read'],
  runs: 'live',
  audit: null,
  params: nothing,
  query: nothing,
  body: null,
  response: z.object({
    items: z.array(
      z.object({
        role: z.enum(roles),
        description: z.string(),
        permissions: z.array(z.string()),
      }),
    ),
  }),
  status: 200,
  alsoProduces: [],
});

const roleAssignment = {
  name: 'role_assignment',
  one: 'a role assignment',
  path: 'role-assignments',
} as const;
export const roleAssignmentCreate = create(
  roleAssignment,
  ['roles.assign'],
  roleAssignmentState.omit({ id: true, source: true }).strict(),
  roleAssignmentState,
);
export const roleAssignmentList = list(roleAssignment, ['roles.read'], roleAssignmentState);
export const roleAssignmentRemove = remove(roleAssignment, ['roles.assign'], idOf('roleAssignment'));
