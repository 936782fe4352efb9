// Owns how principals, models, routes and hosted tools of a directory appear to policy.

import type { ActorChain } from '../identity/actor.ts';
import { entityRef, entityView, uidKey } from '../policy/entity.ts';
import type { EntityView } from '../policy/types.ts';
import type { Directory } from './directory.ts';
import type { Model, Provider } from './objects.ts';

/**
 * The actor as a Cedar principal: the person whenever there is one, else the service. Its parents are the
 * roles and teams that hold in the workspace of the call, that workspace, and the organization.
 */
export function principalEntity(directory: Directory, actor: ActorChain): EntityView {
  const { standing } = actor;
  const ancestors = [
    ...standing.roles.map((role) => uidKey('Role', role)),
    ...standing.teams.map((team) => uidKey('Team', team)),
    uidKey('Organization', directory.orgId),
  ];
  if (standing.roles.length > 0) ancestors.push(uidKey('Workspace', standing.workspaceId));
  const teams = standing.teams.map((id) => directory.tables.team.get(id)?.name ?? id);
  const attributes = {
    person: actor.person !== undefined,
    roles: standing.roles,
    teams,
    costCentre: standing.costCentre,
  };
  if (actor.kind === 'user') return entityView('User', actor.principalId, ancestors, attributes);
  const name = directory.tables.service.get(actor.principalId)?.name ?? '';
  return entityView('Service', actor.principalId, ancestors, { ...attributes, name });
}

/** A model as a Cedar resource: in its provider, and in each workspace that may use it. */
export function modelEntity(directory: Directory, model: Model, provider: Provider): EntityView {
  const workspaces = model.workspaceIds ?? [...directory.tables.workspace.keys()];
  const ancestors = [
    uidKey('Provider', provider.id),
    uidKey('Organization', directory.orgId),
    ...workspaces.map((id) => uidKey('Workspace', id)),
  ];
  return entityView('Model', model.id, ancestors, {
    name: model.name,
    upstream: model.upstreamName,
    provider: provider.name,
    external: provider.external,
  });
}

/** An endpoint that is passed through without being understood. */
export function routeEntity(
  directory: Directory,
  provider: Provider,
  method: string,
  path: string,
): EntityView {
  const ancestors = [uidKey('Provider', provider.id), uidKey('Organization', directory.orgId)];
  return entityView('Route', `${provider.name} ${method} ${path}`, ancestors, {
    provider: provider.name,
    external: provider.external,
    method,
    path,
  });
}

/** A tool that the model's provider would run by itself. */
export function hostedToolEntity(directory: Directory, provider: Provider, tool: string): EntityView {
  const ancestors = [uidKey('Provider', provider.id), uidKey('Organization', directory.orgId)];
  return entityView('Tool', `${provider.name}/${tool}`, ancestors, {
    name: tool,
    server: provider.name,
    hosted: true,
    external: provider.external,
  });
}

/** The workspace of a call, as policy's context names it. */
export function workspaceContext(directory: Directory, actor: ActorChain) {
  const id = actor.standing.workspaceId;
  return {
    workspace: entityRef('Workspace', id),
    workspaceName: directory.tables.workspace.get(id)?.name ?? '',
  };
}
