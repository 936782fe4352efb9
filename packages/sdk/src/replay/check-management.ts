// Owns the check of a management change: who made it held a permission for it, at that place in the log.

import { operations } from '@countersign/contract/operations';
import type { Permission } from '@countersign/core/access/permissions';
import type { Entry } from '@countersign/core/ledger/entry';
import { checkActor } from './check-actor.ts';
import { listText, type Report } from './difference.ts';
import type { Fold } from './fold.ts';

type Managed = Extract<Entry, { readonly type: 'management' | 'erasure' | 'content_read' }>;

/** Operations whose entries have a type of their own and so carry no `op`. */
const ofType = { erasure: 'user.erase', content_read: 'record.content' } as const;

function neededFor(entry: Managed): readonly Permission[] | undefined {
  const id = entry.type === 'management' ? entry.op : ofType[entry.type];
  return operations.find((operation) => operation.id === id)?.permission;
}

/** True for entries that a management command made. */
export function isManaged(entry: Entry): entry is Managed {
  return entry.type === 'management' || entry.type === 'erasure' || entry.type === 'content_read';
}

/**
 * Checks a change against the directory before it. `system` is this software itself. Gives true when a
 * person's or service's permission was checked.
 */
export function checkManagement(fold: Fold, entry: Managed, report: Report): boolean {
  if (entry.status !== 'ok' || entry.actor.kind === 'system') return false;
  const checked = checkActor(fold.directory, entry.actor, 'management', Date.parse(entry.ts), report);
  const needed = neededFor(entry);
  if (checked === undefined || needed === undefined) return false;
  const { permissions, everywhere } = checked.chain.standing;
  if (!needed.some((permission) => permissions.has(permission) || everywhere.has(permission)))
    report('permission_missing', 'done', `${entry.actor.id} lacks ${listText(needed)}`);
  return true;
}
