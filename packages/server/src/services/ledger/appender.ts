// Owns what the committing thread remembers of each log between commits: its signer and the growing edge of its tree.

import type { OrgId } from '@countersign/core/ids';
import type { TreeHasher } from '@countersign/core/ledger/tree';
import type { Sealer } from '../../platform/sealer/sealer.ts';
import type { BuiltStatements } from '../../stores/built-statements.ts';
import type { Head } from '../../stores/heads.ts';
import type { Tx } from '../../stores/schema.ts';
import { type AppendInput, appendEntries, type LogCache } from './append.ts';
import { openSigner } from './open-log.ts';

/** An append whose transaction may still fail. */
export type Uncommitted = {
  readonly orgId: OrgId;
  readonly firstIndex: number;
  readonly cache: LogCache;
  readonly checkpoint: string;
};

export type Appender = {
  /** Appends inside `tx`, perhaps after a former append of the same transaction; nothing is remembered yet. */
  readonly append: (
    tx: Tx,
    orgId: OrgId,
    head: Head,
    input: AppendInput,
    former?: Uncommitted,
  ) => Promise<Uncommitted>;
  /** After the transaction has committed: remembers the edges and lets the checkpoints out. */
  readonly confirm: (done: readonly Uncommitted[]) => void;
};

export type AppenderDeps = {
  readonly sealer: Sealer;
  readonly hasher: TreeHasher;
  readonly built: BuiltStatements;
  /** Hears each checkpoint after its commit is confirmed. */
  readonly onCheckpoint: (orgId: OrgId, checkpoint: string) => void;
};

/** The appender of one thread. */
export function createAppender({ sealer, hasher, built, onCheckpoint }: AppenderDeps): Appender {
  const caches = new Map<OrgId, LogCache>();
  return {
    async append(tx, orgId, head, input, former) {
      const known = former?.cache ?? caches.get(orgId);
      const signer = known?.signer ?? (await openSigner(sealer, tx, orgId, head));
      const appended = await appendEntries(
        { hasher, built },
        tx,
        orgId,
        head,
        { signer, edge: known?.edge },
        input,
      );
      return { orgId, ...appended };
    },
    confirm(done) {
      for (const { orgId, cache, checkpoint } of done) {
        caches.set(orgId, cache);
        onCheckpoint(orgId, checkpoint);
      }
    },
  };
}
