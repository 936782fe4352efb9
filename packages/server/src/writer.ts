// Owns the composition of the thread that writes: every commit and every command runs here, one at a time.

import { createHmac, hash, hkdfSync, randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { openCheckpointFile } from './compose/checkpoint-file.ts';
import { openInstallation, runInit } from './compose/installation.ts';
import {
  type InstallationState,
  isThreadData,
  type ThreadData,
  type WriterCalls,
  type WriterNotices,
} from './compose/threads.ts';
import { commands } from './control/commands.ts';
import { type RunDeps, type RunRequest, type RunResult, runCommand } from './control/run-command.ts';
import { viewOf } from './control/view.ts';
import { writeSecret } from './control/write-secret.ts';
import { openDatabase } from './platform/db/open.ts';
import { serveThread } from './platform/db/thread-server.ts';
import { type MigrationTables, migrate } from './platform/migrate/migrate.ts';
import { createSealer } from './platform/sealer/sealer.ts';
import { createCommitter } from './services/ledger/committer.ts';
import { createProjector } from './services/ledger/projector.ts';
import { setSetupDigest } from './stores/bookkeeping.ts';
import { migrations } from './stores/migrations/list.ts';
import { readPolicy } from './stores/policies.ts';
import type { Tables } from './stores/schema.ts';

/** How long the projection may lag, and how often checkpoints are pushed: once a second each. */
const tickMs = 500;

/** Finds an address without keeping it: an HMAC under a key derived from the first master key. */
function emailIndexer(masterKey: Uint8Array): (email: string) => string {
  const key = Buffer.from(hkdfSync('sha256', masterKey, '', 'countersign-email-index-v1', 32));
  return (email) => createHmac('sha256', key).update(email.trim().toLowerCase()).digest('hex');
}

async function start(data: ThreadData): Promise<void> {
  const port = parentPort;
  const [firstKey] = data.masterKeys;
  if (port === null || firstKey === undefined)
    throw new AppError('internal', 'the writer runs as a thread with a key');
  const forMigration = await openDatabase<MigrationTables>(data.storage, 'migrate');
  await migrate(forMigration, migrations).finally(forMigration.close);
  const database = await openDatabase<Tables>(data.storage, 'write');
  const { db } = database;
  const sealer = createSealer(data.masterKeys);
  const emailIndex = emailIndexer(firstKey.key);
  const report = (error: unknown) => console.error(error);
  const checkpoints = openCheckpointFile(data.checkpointFile, report);
  const locksRows = database.dialect === 'postgres';
  const committer = createCommitter({ db, locksRows, sealer, now: Date.now, onCheckpoint: checkpoints.note });
  const projector = createProjector(db);
  const common = {
    db,
    committer,
    now: Date.now,
    randomBytes: (count: number) => new Uint8Array(randomBytes(count)),
    sha256Hex: (text: string) => hash('sha256', text, 'hex'),
    node: data.node,
    boot: data.boot,
    publicHost: data.publicHost,
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

  const server = serveThread<WriterCalls, Record<never, never>, WriterNotices>(
    port,
    {
      open: (): Promise<InstallationState> => openInstallation(common),
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
        clearInterval(timer);
        await projector.drainAll().catch(report);
        checkpoints.close();
        await database.close();
      },
    },
  );
  let isProjecting = false;
  const timer = setInterval(() => {
    checkpoints.flush();
    if (isProjecting) return;
    isProjecting = true;
    projector
      .drainAll()
      .catch(report)
      .finally(() => {
        isProjecting = false;
      });
  }, tickMs);
}

if (!isThreadData(workerData)) throw new AppError('internal', 'the writer was started without its data');
await start(workerData);
