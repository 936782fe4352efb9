// Owns the check of a management change: who made it could, at that place in the log, and it is what they did.

import {
  type CommandId,
  hasEffects,
  type UnaskedOperation,
  unaskedOperations,
} from '@countersign/contract/operation-effects';
import { operations } from '@countersign/contract/operations';
import { type Permission, rolePermissions } from '@countersign/core/access/permissions';
import { decodeChange } from '@countersign/core/directory/decode-change';
import type { Directory } from '@countersign/core/directory/directory';
import type { Change } from '@countersign/core/directory/objects';
import { isId } from '@countersign/core/ids';
import type { Entry } from '@countersign/core/ledger/entry';
import { may, rolesOf } from './authority-at.ts';
import { type CheckedActor, checkActor } from './check-actor.ts';
import { checkAuthority } from './check-authority.ts';
import { checkEffects } from './check-effects.ts';
import { checkUnasked } from './check-system.ts';
import { listText, type Report } from './difference.ts';
import type { Fold } from './fold.ts';

export type Managed = Extract<Entry, { readonly type: 'management' | 'erasure' | 'content_read' }>;

/** Operations whose entries have a type of their own and so carry no `op`. */
const ofType = { erasure: 'user.erase', content_read: 'record.content' } as const;

/** True for entries that a management command made. */
export function isManaged(entry: Entry): entry is Managed {
  return entry.type === 'management' || entry.type === 'erasure' || entry.type === 'content_read';
}

function isUnasked(id: string): id is UnaskedOperation {
  return unaskedOperations.some((one) => one === id);
}

function isCommand(id: string): id is CommandId {
  return hasEffects(id) && !isUnasked(id);
}

function changesOf(entry: Managed): readonly Change[] {
  try {
    return entry.type === 'content_read' ? [] : (entry.change ?? []).map(decodeChange);
  } catch {
    // The fold reports it.
    return [];
  }
}

function neededFor(operation: CommandId): readonly Permission[] {
  return operations.find(({ id }) => id === operation)?.permission ?? [];
}

function mayErase(directory: Directory, id: string): boolean {
  if (!isId('user', id) || directory.tables.user.get(id)?.status !== 'active') return false;
  return rolesOf(directory, id).some(
    ({ role, workspaceId }) => workspaceId === undefined && rolePermissions[role].has('principals.erase'),
  );
}

/** An erasure has two people behind it who could each ask for it; one did it, with a key that nobody else made. */
function checkApprovers(
  directory: Directory,
  { actor, approvers = [] }: Extract<Entry, { readonly type: 'erasure' }>,
  { key }: CheckedActor,
  report: Report,
): void {
  const people = new Set(approvers.filter((id) => mayErase(directory, id)));
  if (people.size < 2 || people.size !== approvers.length)
    report('approvers_differ', listText(approvers), `who may erase: ${listText([...people])}`);
  if (!approvers.includes(actor.id)) report('approvers_differ', listText(approvers), `${actor.id} did it`);
  const { id: keyId, madeBy = actor.id } = key ?? {};
  if (madeBy !== actor.id) report('approvers_differ', `by ${keyId}`, `a key that ${madeBy} made`);
}

function checkMaker(
  { directory }: Fold,
  entry: Managed,
  operation: CommandId,
  checked: CheckedActor,
  report: Report,
): void {
  const { chain } = checked;
  const needed = neededFor(operation);
  const { permissions, everywhere } = chain.standing;
  if (!needed.some((permission) => permissions.has(permission) || everywhere.has(permission)))
    report('permission_missing', 'done', `${entry.actor.id} lacks ${listText(needed)}`);
  const changes = changesOf(entry);
  const subject = entry.type === 'erasure' ? entry.subject : undefined;
  if (operation === 'user.erase' && !may({ directory, chain }, 'principals.erase', 'organization'))
    report('permission_missing', 'done', `${entry.actor.id} lacks principals.erase in the organization`);
  if (operation === 'user.erase' && entry.type === 'management') {
    if (changes.length > 0)
      report('change_differs', `${changes.length} changes`, 'asking for it changes nothing');
    return;
  }
  checkEffects(directory, operation, changes, report);
  checkAuthority({ directory, chain }, { operation, needed, changes, subject }, report);
  if (entry.type === 'erasure') checkApprovers(directory, entry, checked, report);
}

/** What the software does by itself is in a list; nothing else is done by it, and nobody else does that. */
function checkSystem(fold: Fold, entry: Managed, operation: string, report: Report): void {
  if (!isUnasked(operation)) {
    report('actor_differs', `system did ${operation}`, 'somebody in the directory');
    return;
  }
  const changes = changesOf(entry);
  checkEffects(fold.directory, operation, changes, report);
  checkUnasked(fold, operation, changes, Date.parse(entry.ts), report);
}

/**
 * Checks a change against the directory before it. Gives true when a person's or service's permission was checked.
 * INVARIANT: nothing that was done passes unexamined: what cannot be checked is reported.
 */
export function checkManagement(fold: Fold, entry: Managed, report: Report): boolean {
  const { actor } = entry;
  const operation = entry.type === 'management' ? entry.op : ofType[entry.type];
  if (!isUnasked(operation) && !operations.some(({ id }) => id === operation)) {
    report('operation_unknown', operation, 'no operation of that name');
    return false;
  }
  if (entry.status !== 'ok') return false;
  if (actor.kind === 'system') {
    checkSystem(fold, entry, operation, report);
    return false;
  }
  const checked = checkActor(fold.directory, actor, 'management', Date.parse(entry.ts), report);
  if (checked === undefined) {
    if (actor.kind === 'anonymous') report('actor_not_live', `anonymous did ${operation}`, 'nobody who may');
    return false;
  }
  if (!isCommand(operation)) {
    const found = isUnasked(operation)
      ? 'the software does it by itself'
      : 'it changes nothing and is not recorded';
    report('operation_unknown', `${actor.id} did ${operation}`, found);
    return true;
  }
  checkMaker(fold, entry, operation, checked, report);
  return true;
}
