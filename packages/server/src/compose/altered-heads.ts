// Owns which logs take no entry because their head in the store is not what was committed: who hears of it, and the alert.

import type { OrgId } from '@countersign/core/ids';
import type { Committer } from '../services/ledger/committer.ts';
import { type AlertDeps, alertEntry, type LogFinding } from './log-alert.ts';

export type AlteredHeadsDeps = AlertDeps & {
  readonly committer: Committer;
  /** The installation's own log, which tells of the others while they take nothing. */
  readonly installationId: OrgId;
};

export type AlteredHeads = {
  /** A head was refused. INVARIANT: waits for nothing; whoever finds it is in the middle of a transaction. */
  readonly note: (orgId: OrgId, origin: string) => void;
  /** Tells again which logs these are, if there are any. */
  readonly tell: () => void;
  /**
   * Writes the alerts that are owed, where they can be written: in the installation's log, and in the log itself when
   * its head is the right one again, which ends the matter. Never rejects.
   */
  readonly settle: (deps: AlteredHeadsDeps) => Promise<void>;
};

type Altered = { readonly found: LogFinding; isTold: boolean };

/** Whether the alert could be written there. */
function writeAlert(deps: AlteredHeadsDeps, orgId: OrgId, found: LogFinding): Promise<boolean> {
  return deps.committer
    .withLog(orgId, (_tx, { head, append }) => append([alertEntry(deps, head, found)], head.version))
    .then(
      () => true,
      () => false,
    );
}

/** `say` hears of all such logs, whenever they are others than before. */
export function createAlteredHeads(say: (found: readonly LogFinding[]) => void): AlteredHeads {
  const logs = new Map<OrgId, Altered>();
  let isSettling = false;
  const tellAll = (): void => say([...logs.values()].map(({ found }) => found));

  async function settleOne(deps: AlteredHeadsDeps, orgId: OrgId, altered: Altered): Promise<void> {
    const { found } = altered;
    if (!altered.isTold && orgId !== deps.installationId)
      altered.isTold = await writeAlert(deps, deps.installationId, found);
    if (!(await writeAlert(deps, orgId, found))) return;
    logs.delete(orgId);
    tellAll();
  }

  return {
    note(orgId, origin) {
      if (logs.has(orgId)) return;
      logs.set(orgId, { found: { origin, finding: 'head_altered', index: undefined }, isTold: false });
      tellAll();
    },
    tell() {
      if (logs.size > 0) tellAll();
    },
    async settle(deps) {
      if (isSettling) return;
      isSettling = true;
      for (const [orgId, altered] of [...logs]) await settleOne(deps, orgId, altered);
      isSettling = false;
    },
  };
}
