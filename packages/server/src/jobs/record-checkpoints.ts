// Owns the organizations' checkpoints in the installation's log, so that one witness of it covers all.

import { type EntryId, isId, type OrgId } from '@countersign/core/ids';
import { encodeEntry } from '@countersign/core/ledger/entry';
import { encodeBundle } from '@countersign/core/ledger/tile';
import type { Kysely } from 'kysely';
import type { Committer } from '../services/ledger/committer.ts';
import { readHead } from '../stores/heads.ts';
import type { Tables } from '../stores/schema.ts';

export type CheckpointJobDeps = {
  readonly db: Kysely<Tables>;
  readonly committer: Committer;
  readonly installationId: OrgId;
  readonly installationOrigin: string;
  readonly newEntryId: () => EntryId;
  readonly now: () => number;
  readonly node: string;
  readonly boot: string;
};

export type CheckpointJob = {
  /** Records the newest checkpoint of each organization whose log has grown since it was last recorded. */
  readonly run: (orgIds: Iterable<string>) => Promise<void>;
};

/** The job; it remembers how far it has recorded each log. */
export function createCheckpointJob(deps: CheckpointJobDeps): CheckpointJob {
  const recorded = new Map<OrgId, number>();

  async function entryOf(orgId: OrgId): Promise<Uint8Array | undefined> {
    const head = await readHead(deps.db, orgId);
    if (head === undefined || head.size === 0 || recorded.get(orgId) === head.size) return undefined;
    recorded.set(orgId, head.size);
    const text = encodeEntry({
      v: 1,
      id: deps.newEntryId(),
      log: deps.installationOrigin,
      ts: new Date(deps.now()).toISOString(),
      node: deps.node,
      boot: deps.boot,
      sv: 0,
      type: 'checkpoint',
      actor: { id: 'system', kind: 'system' },
      target: { resource: head.origin },
      checkpoint: head.checkpoint,
    });
    return Buffer.from(text, 'utf8');
  }

  return {
    async run(orgIds) {
      const entries: Uint8Array[] = [];
      for (const orgId of orgIds) {
        if (!isId('org', orgId) || orgId === deps.installationId) continue;
        const entry = await entryOf(orgId);
        if (entry !== undefined) entries.push(entry);
      }
      if (entries.length === 0) return;
      const versions = entries.map(() => -1);
      const orgId = deps.installationId;
      await deps.committer.commit([
        { orgId, bundle: encodeBundle(entries), versions, sidecars: [], objects: [] },
      ]);
    },
  };
}
