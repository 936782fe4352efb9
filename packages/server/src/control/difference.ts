// Owns what an update changes: fields that the body names, and nothing if all stay as they are.

import type { Change } from '@countersign/core/directory/objects';
import { canonicalJson } from '@countersign/core/ledger/canonical';

/** A field after an update: absent keeps it, `null` clears it. */
export function patched<T>(before: T | undefined, asked: T | null | undefined): T | undefined {
  if (asked === undefined) return before;
  return asked ?? undefined;
}

/** The change as a list: empty if the state is the one that was there. */
export function difference(before: unknown, change: Change): readonly Change[] {
  return canonicalJson(before) === canonicalJson(change.state) ? [] : [change];
}
