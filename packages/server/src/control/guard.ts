// Owns the refusal of what an actor's authority does not reach.

import { allows, lacking, type Scope } from '@countersign/core/access/authority';
import type { Permission } from '@countersign/core/access/permissions';
import { AppError } from '@countersign/core/errors';
import type { WorkspaceId } from '@countersign/core/ids';
import { isObject } from '@countersign/core/json';
import type { CommandActor } from './command.ts';

type Actor = Pick<CommandActor, 'authority'>;

/** True when the actor holds one of the permissions for this scope. */
export function may(actor: Actor, permission: Permission, scope: Scope): boolean {
  return allows(actor.authority, permission, scope);
}

/** Throws `permission_denied` unless the actor holds the permission for this scope. */
export function demand(actor: Actor, permission: Permission, scope: Scope): void {
  if (allows(actor.authority, permission, scope)) return;
  const where = scope === 'organization' ? 'in the whole organization' : `in workspace \`${scope}\``;
  throw new AppError(
    'permission_denied',
    `this needs the permission \`${permission}\` ${where}: ask an administrator`,
  );
}

/** Throws `permission_denied` if the actor lacks any of these permissions there: nobody gives what they lack. */
export function demandAll(actor: Actor, wanted: Iterable<Permission>, scope: Scope): void {
  const missing = lacking(actor.authority, wanted, scope);
  if (missing.length === 0) return;
  throw new AppError(
    'permission_denied',
    `this would give or touch what you lack: ${missing.join(', ')}; ask someone who has it`,
  );
}

/** The agents through which the actor acts; empty for a person or service that acts by itself. */
export function agentsOf(actor: Pick<CommandActor, 'entryActor'>): readonly string[] {
  const { act } = actor.entryActor;
  if (!Array.isArray(act)) return [];
  return act.flatMap((link: unknown) =>
    isObject(link) && link.kind === 'agent' && typeof link.id === 'string' ? [link.id] : [],
  );
}

/** True if the actor administers the keys of the workspace, in person or as a service: for their own keys as for others'. */
export function administersKeys(actor: CommandActor, workspaceId: WorkspaceId): boolean {
  return agentsOf(actor).length === 0 && may(actor, 'keys.write', workspaceId);
}

/** Throws `permission_denied` for an agent: what it would make or change no longer names it, or binds it. */
export function demandNoAgent(actor: Pick<CommandActor, 'entryActor'>): void {
  if (agentsOf(actor).length === 0) return;
  throw new AppError(
    'permission_denied',
    'an agent cannot do this: the person must do it themselves, or a service with a role of its own',
  );
}
