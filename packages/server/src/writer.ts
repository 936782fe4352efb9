// Owns the composition of the thread that writes: every commit and every command runs here, one at a time.

import { createHmac, createSecretKey, hash, randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { AppError } from '@countersign/core/errors';
import { makeEntryId, type OrgId } from '@countersign/core/ids';
import { openCheckpointFile } from './compose/checkpoint-file.ts';
import { openInstallation, runInit } from './compose/installation.ts';
import {
  type InstallationState,
  isThreadData,
  type ThreadData,
  type WriterCalls,
  type WriterNotices,
} from './compose/threads.ts';
import { startWriterJobs } from './compose/writer-jobs.ts';
import { commands } from './control/commands.ts';
import { type RunDeps, type RunRequest, type RunResult, runCommand } from './control/run-command.ts';
import { viewOf } from './control/view.ts';
import { writeSecret } from './control/write-secret.ts';
import { openDatabase } from './platform/db/open.ts';
import { serveThread } from './platform/db/thread-server.ts';
import { type MigrationTables, migrate } from './platform/migrate/migrate.ts';
import { createSealer } from './platform/sealer/sealer.ts';
import { createCommitter } from './services/ledger/committer.ts';
import { closeOrphans, closeOwed } from './services/ledger/orphans.ts';
import { createProjector } from './services/ledger/projector.ts';
import { setSetupDigest } from './stores/bookkeeping.ts';
import { migrations } from './stores/migrations/list.ts';
import { readPolicy } from './stores/policies.ts';
import type { Tables } from './stores/schema.ts';

/** Finds an address without keeping it: an HMAC under the installation's own key. */
function emailIndexer(indexKey: Uint8Array): (email: string) => string {
  const key = createSecretKey(indexKey);
  return (email) => createHmac('sha256', key).update(email.trim().toLowerCase()).digest('hex');
}

async function start(data: ThreadData): Promise<void> {
  const port = parentPort;
  if (port === null) throw new AppError('internal', 'the writer runs as a thread');
  const forMigration = await openDatabase<MigrationTables>(data.storage, 'migrate');
  await migrate(forMigration, migrations).finally(forMigration.close);
  const database = await openDatabase<Tables>(data.storage, 'write');
  const { db } = database;
  const sealer = createSealer(data.masterKeys);
  const report = (error: unknown) => console.error(error);
  const checkpoints = openCheckpointFile(data.checkpointFile, report);
  const locksRows = database.dialect === 'postgres';
  const grown = new Set<string>();
  const noteCheckpoint = (orgId: OrgId, checkpoint: string): void => {
    grown.add(orgId);
    checkpoints.note(orgId, checkpoint);
  };
  const committer = createCommitter({ db, locksRows, sealer, now: Date.now, onCheckpoint: noteCheckpoint });
  const projector = createProjector(db);
  const bare = {
    db,
    committer,
    sealer,
    now: Date.now,
    randomBytes: (count: number) => new Uint8Array(randomBytes(count)),
    sha256Hex: (text: string) => hash('sha256', text, 'hex'),
    node: data.node,
    boot: data.boot,
    publicHost: data.publicHost,
  };
  const installation = await openInstallation(bare);
  const emailIndex = emailIndexer(installation.indexKey);
  const common = {
    ...bare,
    writeSecret: (...[tx, orgId, secret, ctx]: Parameters<RunDeps['writeSecret']>) =>
      writeSecret({ sealer, emailIndex }, tx, orgId, secret, ctx),
  };
  const deps: RunDeps = {
    ...common,
    withLog: committer.withLog,
    view: (tx, orgId) => viewOf(tx, orgId, sealer, emailIndex),
  };

  async function command(request: RunRequest): Promise<RunResult> {
    const bound = commands.get(request.operation);
    if (bound === undefined) throw new AppError('internal', `there is no command \`${request.operation}\``);
    const result = await runCommand(deps, bound, request);
    if (result.kind === 'done' && result.changes.length > 0) await publish(request.orgId, result);
    return result;
  }

  /** Tells of a committed version, in the order of the commits. */
  async function publish(orgId: OrgId, done: Extract<RunResult, { readonly kind: 'done' }>): Promise<void> {
    const { version, changes } = done;
    const hasPolicy = changes.some(({ kind }) => kind === 'policy');
    const policy = hasPolicy ? await readPolicy(db, orgId, version) : undefined;
    server.notify('step', { orgId, version, changes, policy });
  }

  const jobs = startWriterJobs({
    ...bare,
    projector,
    checkpoints,
    installationId: installation.installationId,
    installationOrigin: installation.origin,
    takeGrown: () => {
      const taken = [...grown];
      grown.clear();
      return taken;
    },
    isRotating: data.masterKeys.length > 1,
    newEntryId: () => makeEntryId(Date.now(), bare.randomBytes(10)),
    onError: report,
  });

  const server = serveThread<WriterCalls, Record<never, never>, WriterNotices>(
    port,
    {
      open: (): Promise<InstallationState> => openInstallation(bare),
      closeOrphans: () =>
        closeOrphans({ ...bare, projector, newEntryId: () => makeEntryId(Date.now(), bare.randomBytes(10)) }),
      closeOwed: ({ orgId, owed }) => closeOwed({ db, committer, projector }, orgId, owed),
      commit: committer.commit,
      command,
      init: async (input) => (await runInit(common, input)).initialized,
      setupDigest: async (digest) => {
        await db.transaction().execute((tx) => setSetupDigest(tx, digest));
        return null;
      },
      drain: async (orgId) => {
        await projector.drain(orgId);
        return null;
      },
    },
    {
      onError: report,
      onClose: async () => {
        await jobs.stop();
        checkpoints.close();
        await database.close();
      },
    },
  );
}

if (!isThreadData(workerData)) throw new AppError('internal', 'the writer was started without its data');
await start(workerData);
