// Owns the composition of the thread that reads: lists, reports and snapshots never wait for a commit.

import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { createFaultReporter } from './compose/thread-faults.ts';
import { isThreadData, type ReaderCalls, type ThreadData } from './compose/threads.ts';
import type { QueryRequest, QueryResult } from './control/run-query.ts';
import { type OpenDatabase, openDatabase, type StorageConfig } from './platform/db/open.ts';
import { serveThread } from './platform/db/thread-server.ts';
import { giveBack } from './platform/memory/give-back.ts';
import { createSealer } from './platform/sealer/sealer.ts';
import { loadOrganization, readHandlers } from './services/snapshot/read.ts';
import type { Store, Tables } from './stores/schema.ts';

/** What a list or a report may take on PostgreSQL, in milliseconds. */
const reportMs = 10_000;

/** Objects of an organization that leave behind what is worth to collect, and milliseconds until that is done. */
const largeOrganization = 2_000;
const giveBackMs = 2_000;

/**
 * The store for lists and reports. INVARIANT: on PostgreSQL they have connections of their own, so that whatever a
 * call needs to be decided never waits for them.
 */
async function openReports(
  storage: StorageConfig,
  lookups: OpenDatabase<Tables>,
): Promise<OpenDatabase<Tables>> {
  if (storage.kind === 'sqlite') return lookups;
  return openDatabase<Tables>({ ...storage, poolSize: 5, statementTimeoutMs: reportMs }, 'read');
}

/**
 * Waits for a list or a report. It may take its time, but not to find out that nobody answers: the store is asked
 * before it, and once a second while it runs.
 */
async function whileAnswering<T>({ check }: OpenDatabase<Tables>, run: () => Promise<T>): Promise<T> {
  await check();
  const done = new AbortController();
  async function watch(): Promise<never> {
    for (;;) {
      await sleep(1_000, undefined, { signal: done.signal });
      await check();
    }
  }
  return Promise.race([run(), watch()]).finally(() => done.abort());
}

/** Loads an organization; what a large one leaves behind in this thread is given back when it has been sent. */
function createLoader(store: Store): (orgId: OrgId) => ReturnType<typeof loadOrganization> {
  let due: NodeJS.Timeout | undefined;
  return async (orgId) => {
    const loaded = await loadOrganization(store, orgId);
    if (loaded !== undefined && loaded.changes.length > largeOrganization) {
      clearTimeout(due);
      due = setTimeout(giveBack, giveBackMs).unref();
    }
    return loaded;
  };
}

async function start(data: ThreadData): Promise<void> {
  const port = parentPort;
  if (port === null) throw new AppError('internal', 'the reader runs as a thread');
  const database = await openDatabase<Tables>(data.storage, 'read');
  const reports = await openReports(data.storage, database);
  const store = database.db;
  const opener = createSealer(data.masterKeys);

  async function query(request: QueryRequest): Promise<QueryResult> {
    // Lists and reports are for administration: their code is loaded when somebody asks.
    const { queries } = await import('./control/queries.ts');
    const bound = queries.get(request.operation);
    if (bound === undefined) throw new AppError('internal', `there is no query \`${request.operation}\``);
    const { orgId, actor } = request;
    const context = { orgId, actor, store: reports.db, opener, nowMs: Date.now() };
    return { response: await whileAnswering(database, () => bound.run(context, request)) };
  }

  serveThread<ReaderCalls>(
    port,
    { ...readHandlers(store), query, load: createLoader(store) },
    {
      onError: createFaultReporter(port),
      onClose: async () => {
        await database.close();
        if (reports !== database) await reports.close();
      },
    },
  );
}

if (!isThreadData(workerData)) throw new AppError('internal', 'the reader was started without its data');
await start(workerData);
