// Owns the composition of the thread that reads: lists, reports and snapshots never wait for a commit.

import { parentPort, workerData } from 'node:worker_threads';
import { AppError } from '@countersign/core/errors';
import { createFaultReporter } from './compose/thread-faults.ts';
import { isThreadData, type ReaderCalls, type ThreadData } from './compose/threads.ts';
import { queries } from './control/queries.ts';
import type { QueryRequest, QueryResult } from './control/run-query.ts';
import { openDatabase } from './platform/db/open.ts';
import { serveThread } from './platform/db/thread-server.ts';
import { createSealer } from './platform/sealer/sealer.ts';
import { loadOrganization, readHandlers } from './services/snapshot/read.ts';
import type { Tables } from './stores/schema.ts';

async function start(data: ThreadData): Promise<void> {
  const port = parentPort;
  if (port === null) throw new AppError('internal', 'the reader runs as a thread');
  const database = await openDatabase<Tables>(data.storage, 'read');
  const store = database.db;
  const opener = createSealer(data.masterKeys);

  async function query(request: QueryRequest): Promise<QueryResult> {
    const bound = queries.get(request.operation);
    if (bound === undefined) throw new AppError('internal', `there is no query \`${request.operation}\``);
    const { orgId, actor } = request;
    return { response: await bound.run({ orgId, actor, store, opener, nowMs: Date.now() }, request) };
  }

  serveThread<ReaderCalls>(
    port,
    { ...readHandlers(store), query, load: (orgId) => loadOrganization(store, orgId) },
    { onError: createFaultReporter(port), onClose: database.close },
  );
}

if (!isThreadData(workerData)) throw new AppError('internal', 'the reader was started without its data');
await start(workerData);
