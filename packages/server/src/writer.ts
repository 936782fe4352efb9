// Owns the composition of the thread that writes: every commit and every command runs here, one at a time.

import { createHmac, createSecretKey, hash, randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { Change } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { makeEntryId, type OrgId } from '@countersign/core/ids';
import { createAlteredHeads } from './compose/altered-heads.ts';
import { cosigningHandlers } from './compose/cosigning-calls.ts';
import { holdStart } from './compose/hold-start.ts';
import { openHeld } from './compose/hold-store.ts';
import { openInstallation, runInit } from './compose/installation.ts';
import { openCheckpoints } from './compose/newest-checkpoints.ts';
import { type OpenCommitter, openCommitter } from './compose/open-committer.ts';
import { createFaultReporter, createWarner } from './compose/thread-faults.ts';
import {
  isThreadData,
  type ThreadData,
  type WriterCalls,
  type WriterHears,
  type WriterNotices,
} from './compose/threads.ts';
import { startWriterJobs, type WriterJobsDeps } from './compose/writer-jobs.ts';
import { type RunDeps, type RunRequest, type RunResult, runCommand } from './control/run-command.ts';
import { viewOf } from './control/view.ts';
import { writeSecret } from './control/write-secret.ts';
import type { OpenDatabase, StorageConfig } from './platform/db/open.ts';
import { startCheckpoints } from './platform/db/sqlite-checkpoints.ts';
import { type CallHandlers, serveThread, type ThreadServer } from './platform/db/thread-server.ts';
import { createDistantAppender } from './services/ledger/journal-hold.ts';
import { closeOrphans, closeOwed } from './services/ledger/orphans.ts';
import type { Step } from './services/snapshot/snapshots.ts';
import { setSetupDigest, touchInstallation } from './stores/bookkeeping.ts';
import { readPolicy } from './stores/policies.ts';
import type { Tables } from './stores/schema.ts';

/** Finds an address without keeping it: an HMAC under the installation's own key. */
function emailIndexer(indexKey: Uint8Array): (email: string) => string {
  const key = createSecretKey(indexKey);
  return (email) => createHmac('sha256', key).update(email.trim().toLowerCase()).digest('hex');
}

/** Ends this thread, and with it the process: what it has in memory is not what the store holds. */
function endThread(error: AppError): void {
  queueMicrotask(() => {
    throw error;
  });
}

type Grown = {
  readonly note: (orgId: OrgId) => void;
  /** Which organizations have logged; each is named once. */
  readonly take: () => readonly string[];
  /** Whether any log has grown since the last call. */
  readonly takeMoved: () => boolean;
};

function createGrown(): Grown {
  const grown = new Set<string>();
  let hasMoved = false;
  return {
    note(orgId) {
      grown.add(orgId);
      hasMoved = true;
    },
    takeMoved() {
      const moved = hasMoved;
      hasMoved = false;
      return moved;
    },
    take: () => {
      const taken = [...grown];
      grown.clear();
      return taken;
    },
  };
}

const stillThere =
  'what was destroyed stands in `countersign.db-wal` still: something reads the database for long, a backup perhaps; ' +
  'the file is emptied as soon as that ends';

/** Moves the files beside the database, on the embedded store; `empty` takes out of them what was destroyed, or says that it could not yet. */
function startMoving(storage: StorageConfig, warn: (text: string) => void) {
  const moving = storage.kind === 'sqlite' ? startCheckpoints(storage.directory) : undefined;
  return {
    stop: () => moving?.stop(),
    async empty(doing: string): Promise<void> {
      if (moving !== undefined && !(await moving.empty())) warn(`after ${doing} ${stillThere}`);
    },
  };
}

const randomOnes = (count: number): Uint8Array => new Uint8Array(randomBytes(count));

/** What every part of this thread is made from. */
function basicsOf(data: ThreadData, { db }: OpenDatabase<Tables>, open: OpenCommitter) {
  const { committer, projector, sealer } = open;
  return {
    db,
    sealer,
    committer,
    projector,
    now: Date.now,
    randomBytes: randomOnes,
    newEntryId: () => makeEntryId(Date.now(), randomOnes(10)),
    sha256Hex: (text: string) => hash('sha256', text, 'hex'),
    node: data.node,
    boot: data.boot,
    publicHost: data.publicHost,
  };
}

type Basics = ReturnType<typeof basicsOf>;

/** The same with what commands need: secrets are sealed, addresses indexed. */
function commandDeps(basics: Basics, emailIndex: (email: string) => string): Basics & RunDeps {
  const { sealer, committer } = basics;
  return {
    ...basics,
    writeSecret: (tx, orgId, secret, ctx) => writeSecret({ sealer, emailIndex }, tx, orgId, secret, ctx),
    withLog: committer.withLog,
    view: (tx, orgId) => viewOf(tx, orgId, sealer, emailIndex),
  };
}

/** How commits are followed up: told, what they destroyed taken out of the files, and what is owed of refused ones. */
type Following = {
  readonly publish: (step: Step) => void;
  readonly empty: WriterJobsDeps['empty'];
  readonly settleAlerts: () => Promise<void>;
};

const isErasure = ({ kind, state }: Change): boolean => kind === 'user' && state?.status === 'erased';

/** Runs commands, and tells of each committed version in the order of the commits. */
function createRunner(deps: Basics & RunDeps, { publish, empty }: Following) {
  return async (request: RunRequest): Promise<RunResult> => {
    // Administration's code is loaded when somebody administers.
    const { commands } = await import('./control/commands.ts');
    const bound = commands.get(request.operation);
    if (bound === undefined) throw new AppError('internal', `there is no command \`${request.operation}\``);
    const result = await runCommand(deps, bound, request);
    if (result.kind !== 'done' || result.changes.length === 0) return result;
    const { orgId } = request;
    const { version, changes } = result;
    const hasPolicy = changes.some(({ kind }) => kind === 'policy');
    const policy = hasPolicy ? await readPolicy(deps.db, orgId, version) : undefined;
    publish({ orgId, version, changes, policy });
    if (changes.some(isErasure)) await empty('an erasure');
    return result;
  };
}

/** Runs one piece of work after the other: what is owed is looked up and written before the next one looks. */
function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next;
    return next;
  };
}

/** The answers to the calls of the main thread. */
function handlersOf(
  deps: Basics & RunDeps,
  journaled: OpenCommitter['journaled'],
  following: Following,
  witnesses: ThreadData['witnesses'],
): CallHandlers<WriterCalls> {
  const { db, committer, projector } = deps;
  const inTurn = createQueue();
  return {
    ...cosigningHandlers(db, witnesses),
    open: () => openInstallation(deps),
    closeOrphans: () => closeOrphans(deps),
    closeOwed: ({ orgId, owed }) => inTurn(() => closeOwed({ db, committer, projector }, orgId, owed)),
    commit: committer.commit,
    journal: () => journaled?.seat,
    appends: async () => {
      await journaled?.committer.attach();
      return null;
    },
    settle: async () => {
      await committer.settle();
      return null;
    },
    probe: async () => {
      await following.settleAlerts();
      await committer.settle();
      await db.transaction().execute(touchInstallation);
      return null;
    },
    standings: async (orgIds) => (await journaled?.committer.standings(orgIds)) ?? [],
    command: createRunner(deps, following),
    init: async (input) => (await runInit(deps, input)).initialized,
    recover: async (owner) => {
      const { runRecovery } = await import('./compose/recover-owner.ts');
      return runRecovery(deps, owner);
    },
    setupDigest: async (digest) => {
      await db.transaction().execute((tx) => setSetupDigest(tx, digest));
      return null;
    },
    drain: async (orgId) => {
      await committer.settle();
      await projector.drain(orgId);
      return null;
    },
  };
}

type Voice = ThreadServer<WriterNotices>['notify'];

/** What this thread says by itself; nothing of it is asked for, and so said, before it serves. */
function createVoice(): {
  readonly say: Voice;
  readonly begin: (server: ThreadServer<WriterNotices>) => void;
} {
  let notify: Voice | undefined;
  return {
    say: (name, payload) => notify?.(name, payload),
    begin(server) {
      notify = server.notify;
    },
  };
}

/** What the committer says to the main thread while it commits, and hears of it. */
function joinMain(say: Voice) {
  const heads = createAlteredHeads((found) => say('alteredHeads', found));
  const appender = createDistantAppender(
    () => say('hold', null),
    (moved) => say('resume', moved),
  );
  const onFollowing = (follows: boolean): void => say('follows', follows);
  return { heads, appender, journaling: { appender, onFollowing, onAltered: heads.note } };
}

async function start(data: ThreadData): Promise<void> {
  const port = parentPort;
  if (port === null) throw new AppError('internal', 'the writer runs as a thread');
  const warn = createWarner(port);
  const database = await openHeld(data.storage, { warn, onTaken: endThread });
  const onError = createFaultReporter(port);
  const { say, begin } = createVoice();
  const checkpoints = openCheckpoints(data, onError, (grown) => say('checkpoints', grown));
  const grown = createGrown();
  const onCheckpoint = (orgId: OrgId, checkpoint: string): void => {
    grown.note(orgId);
    checkpoints.note(orgId, checkpoint);
  };
  const { heads, appender, journaling } = joinMain(say);
  const sources = { appended: data.checkpointFile, kept: data.heldFiles };
  const committer = await holdStart(database.db, sources, warn, () =>
    openCommitter(data, database, randomOnes, onCheckpoint, warn, journaling),
  );
  const basics = basicsOf(data, database, committer);
  const { indexKey, installationId, origin } = await openInstallation(basics);
  await checkpoints.tellAll(database.db);
  const { empty, stop } = startMoving(data.storage, warn);
  const jobs = startWriterJobs({
    ...basics,
    checkpoints,
    installationId,
    installationOrigin: origin,
    grown,
    logCheckMs: data.logCheckMs,
    onLogsChecked: (checked) => say('logsChecked', checked),
    isRotating: data.masterKeys.length > 1,
    empty,
    onError,
  });
  const following: Following = {
    empty,
    publish: (step) => say('step', step),
    settleAlerts: () => heads.settle({ ...basics, installationId }),
  };
  const server = serveThread<WriterCalls, WriterHears, WriterNotices>(
    port,
    handlersOf(commandDeps(basics, emailIndexer(indexKey)), committer.journaled, following, data.witnesses),
    {
      onError,
      onNotice: { held: appender.onHeld, left: appender.leave },
      onClose: async () => {
        stop();
        await jobs.stop();
        checkpoints.close();
        committer.close();
        await database.close();
      },
    },
  );
  begin(server);
  heads.tell();
}

if (!isThreadData(workerData)) throw new AppError('internal', 'the writer was started without its data');
await start(workerData);
