// Owns whether a log of the store continues a checkpoint that it has signed before, or has lost what lay under it.

import type { OrgId } from '@countersign/core/ids';
import type { Checkpoint } from '@countersign/core/ledger/checkpoint';
import { sameBytes } from '@countersign/core/ledger/primitives';
import { createTreeHasher } from '@countersign/core/ledger/tree';
import type { Head } from '../../stores/heads.ts';
import type { Store } from '../../stores/schema.ts';
import { sha256 } from './crypto.ts';
import { rootAt } from './tree-at.ts';

/** `shorter`: the log ends before it. `other`: the log has other entries under it. */
export type Standing = 'continued' | 'shorter' | 'other';

/** Where a log stands to a checkpoint that its own key has signed. Reads O(log n) tiles. */
export async function holdAgainst(
  store: Store,
  orgId: OrgId,
  head: Head,
  held: Pick<Checkpoint, 'size' | 'root'>,
): Promise<Standing> {
  if (held.size > head.size) return 'shorter';
  const root = await rootAt(store, createTreeHasher(sha256), orgId, { size: held.size, of: head.size });
  return sameBytes(root, held.root) ? 'continued' : 'other';
}
