// Owns the commit of entries: one transaction for whatever waits, in the thread that writes.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { signCheckpoint } from '@countersign/core/ledger/checkpoint';
import { formatVerifierKey, makeVerifierKey, parseVerifierKey } from '@countersign/core/ledger/note';
import { decodeBundle, encodeBundle } from '@countersign/core/ledger/tile';
import { createTreeHasher, emptyFrontier, frontierRoot } from '@countersign/core/ledger/tree';
import type { Kysely } from 'kysely';
import type { Sealer } from '../../platform/sealer/sealer.ts';
import { type Head, insertHead, lockHead, readSigningKey } from '../../stores/heads.ts';
import { insertProviderObject } from '../../stores/provider-objects.ts';
import type { Tables, Tx } from '../../stores/schema.ts';
import { insertSidecars } from '../../stores/secrets.ts';
import { appendEntries, type LogCache, type LogSigner } from './append.ts';
import type { OrgBatch, OrgCommit } from './batch.ts';
import { generateLogKey, loadLogKey, sha256, signerOf, utf8 } from './crypto.ts';

export type CommitterDeps = {
  readonly db: Kysely<Tables>;
  /** True on PostgreSQL, where the head's row must be locked by name. */
  readonly locksRows: boolean;
  readonly sealer: Sealer;
  readonly now: () => number;
  /** Hears each checkpoint after its commit is confirmed. */
  readonly onCheckpoint: (orgId: OrgId, checkpoint: string) => void;
};

/** A log locked inside a transaction: append to it, then `confirm` once the transaction has committed. */
export type LockedLog = {
  readonly head: Head;
  readonly append: (entries: readonly Uint8Array[], version: number) => Promise<number>;
};

type NewLog = { readonly kind: 'organization' | 'installation'; readonly origin: string };

export type Committer = {
  /** Commits batches of any organizations in one transaction. All or nothing; throws what the storage throws. */
  readonly commit: (batches: readonly OrgBatch[]) => Promise<readonly OrgCommit[]>;
  /** Runs `work` in a transaction that holds the log's head. The checkpoint is published after the commit. */
  readonly withLog: <T>(orgId: OrgId, work: (tx: Tx, log: LockedLog) => Promise<T>) => Promise<T>;
  /** Like `withLog`, over a log that the same transaction opens: makes its key, seals it, signs the empty tree. */
  readonly withNewLog: <T>(
    orgId: OrgId,
    log: NewLog,
    work: (tx: Tx, log: LockedLog) => Promise<T>,
  ) => Promise<T>;
};

/** What AES-GCM binds a log's sealed key to. */
export const logKeyPurpose = 'ledger-signing-key';

/** The committer of one process. INVARIANT: it alone appends; on PostgreSQL the head's row lock orders several. */
export function createCommitter(deps: CommitterDeps): Committer {
  const { db } = deps;
  const hasher = createTreeHasher(sha256);
  const caches = new Map<OrgId, LogCache>();

  async function signer(tx: Tx, orgId: OrgId, head: Head): Promise<LogSigner> {
    const known = caches.get(orgId);
    if (known !== undefined) return known.signer;
    const sealed = await readSigningKey(tx, orgId);
    const key = parseVerifierKey({ sha256, utf8 }, head.verifierKey);
    if (sealed === undefined || key === undefined)
      throw new AppError('ledger_unavailable', 'the ledger has no key');
    const pkcs8 = deps.sealer.open(sealed, { orgId, purpose: logKeyPurpose, objectId: orgId });
    return { key, sign: signerOf(loadLogKey(pkcs8)) };
  }

  type Done = { readonly orgId: OrgId; readonly cache: LogCache; readonly checkpoint: string };

  async function append(
    tx: Tx,
    orgId: OrgId,
    head: Head,
    input: { readonly entries: readonly Uint8Array[]; readonly bundle: Uint8Array; readonly version: number },
  ): Promise<Done & { readonly firstIndex: number }> {
    const cached = { signer: await signer(tx, orgId, head), edge: caches.get(orgId)?.edge };
    const appended = await appendEntries({ hasher }, tx, orgId, head, cached, input);
    return { orgId, ...appended };
  }

  function confirm(done: readonly Done[]): void {
    for (const { orgId, cache, checkpoint } of done) {
      caches.set(orgId, cache);
      deps.onCheckpoint(orgId, checkpoint);
    }
  }

  type Committed = { readonly reply: OrgCommit; readonly done: Done | undefined };

  async function commitOne(tx: Tx, batch: OrgBatch): Promise<Committed> {
    const { orgId } = batch;
    const head = await lockHead(tx, orgId, deps.locksRows);
    const { entries, torn } = decodeBundle(batch.bundle);
    if (torn || entries.length !== batch.versions.length)
      throw new AppError('internal', 'a batch arrived torn');
    const isKept = batch.versions.map((version) => version < 0 || version === head.version);
    const kept = entries.filter((_, i) => isKept[i]);
    if (kept.length === 0) {
      return {
        reply: { orgId, version: head.version, indices: batch.versions.map(() => -1) },
        done: undefined,
      };
    }
    const bundle = kept.length === entries.length ? batch.bundle : encodeBundle(kept);
    const done = await append(tx, orgId, head, { entries: kept, bundle, version: head.version });
    const isWritten = ({ position }: { readonly position: number }) => isKept[position] === true;
    const sidecars = batch.sidecars.filter(isWritten).map(({ value }) => value);
    await insertSidecars(tx, orgId, sidecars);
    for (const { value } of batch.objects.filter(isWritten)) {
      await insertProviderObject(tx, orgId, value, deps.now());
    }
    let next = done.firstIndex;
    const indices = isKept.map((keep) => {
      if (!keep) return -1;
      next += 1;
      return next - 1;
    });
    return { reply: { orgId, version: head.version, indices }, done };
  }

  async function openLog(tx: Tx, orgId: OrgId, log: NewLog): Promise<void> {
    const { pkcs8, publicKey } = generateLogKey();
    const key = makeVerifierKey({ sha256, utf8 }, log.origin, 'ed25519', publicKey);
    const root = frontierRoot(hasher, emptyFrontier);
    const checkpoint = signCheckpoint(utf8, key, { size: 0, root }, signerOf(loadLogKey(pkcs8)));
    const sealedSigningKey = deps.sealer.seal(pkcs8, { orgId, purpose: logKeyPurpose, objectId: orgId });
    const verifierKey = formatVerifierKey(key);
    await insertHead(tx, orgId, {
      kind: log.kind,
      origin: log.origin,
      verifierKey,
      checkpoint,
      sealedSigningKey,
    });
  }

  async function transact<T>(
    orgId: OrgId,
    newLog: NewLog | undefined,
    work: (tx: Tx, log: LockedLog) => Promise<T>,
  ): Promise<T> {
    const done: Done[] = [];
    const value = await db.transaction().execute(async (tx) => {
      if (newLog !== undefined) await openLog(tx, orgId, newLog);
      const head = await lockHead(tx, orgId, deps.locksRows);
      return work(tx, {
        head,
        append: async (entries, version) => {
          if (done.length > 0) throw new AppError('internal', 'one transaction appends once');
          const appended = await append(tx, orgId, head, { entries, bundle: encodeBundle(entries), version });
          done.push(appended);
          return appended.firstIndex;
        },
      });
    });
    confirm(done);
    return value;
  }

  return {
    async commit(batches) {
      // Heads are locked in one order, so that two committers cannot wait for each other.
      const ordered = [...batches].sort((a, b) => (a.orgId < b.orgId ? -1 : 1));
      const results = await db.transaction().execute(async (tx) => {
        const all: Committed[] = [];
        for (const batch of ordered) all.push(await commitOne(tx, batch));
        return all;
      });
      confirm(results.flatMap(({ done }) => (done === undefined ? [] : [done])));
      return results.map(({ reply }) => reply);
    },
    withLog: (orgId, work) => transact(orgId, undefined, work),
    withNewLog: (orgId, log, work) => transact(orgId, log, work),
  };
}
