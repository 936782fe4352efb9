// Owns the check of what an operation changed: only the kinds, the ends and the members that it may.

import {
  type CommandId,
  type Effect,
  operationEffects,
  type UnaskedOperation,
} from '@countersign/contract/operation-effects';
import type { Directory } from '@countersign/core/directory/directory';
import type { Change } from '@countersign/core/directory/objects';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import { listText, type Report } from './difference.ts';

type Members = { readonly [member: string]: unknown };

function differing(before: Members, after: Members): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter(
    (name) => canonicalJson({ is: before[name] }) !== canonicalJson({ is: after[name] }),
  );
}

/** What has ended for good: a revoked key, an erased person. */
function isOver(state: Members): boolean {
  return state.status === 'revoked' || state.status === 'erased';
}

/** What the change does beyond what the operation may; undefined if nothing. */
function beyond(directory: Directory, change: Change, effect: Effect): string | undefined {
  const { kind, id, state } = change;
  const before = directory.tables[kind].get(id);
  if (state === null) return effect.ends && before !== undefined ? undefined : `ends ${kind} ${id}`;
  if (state.id !== id) return `gives ${kind} ${id} the id ${state.id}`;
  if (before === undefined) return effect.makes ? undefined : `makes ${kind} ${id}`;
  if (effect.alters === undefined) return `alters ${kind} ${id}`;
  if (isOver(before) && !isOver(state)) return `brings back ${kind} ${id}`;
  const { alters } = effect;
  const others = differing(before, state).filter((name) => !alters.includes(name));
  return others.length === 0 ? undefined : `alters ${listText(others)} of ${kind} ${id}`;
}

/** Reports every change that this operation does not make. Gives true if there is none. */
export function checkEffects(
  directory: Directory,
  operation: CommandId | UnaskedOperation,
  changes: readonly Change[],
  report: Report,
): boolean {
  const effects = operationEffects[operation];
  const found = changes.flatMap((change) => beyond(directory, change, effects[change.kind] ?? {}) ?? []);
  for (const what of found) report('change_differs', what, `${operation} does not`);
  return found.length === 0;
}
