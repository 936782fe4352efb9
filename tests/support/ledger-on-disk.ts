// Owns what tests see of a running gateway's ledger from outside: what is durable, and how its writing is disturbed.

import { join } from 'node:path';
import { AppError } from '@countersign/core/errors';
import { decodeBundle } from '@countersign/core/ledger/tile';
import { openJournal } from '@countersign/server/platform/journal/journal';
import type { OrgBatch, OrgCommit } from '@countersign/server/services/ledger/batch';
import { decodePayload } from '@countersign/server/services/ledger/journal-payload';
import type { TestGateway } from './gateway.ts';

function parsed(bundle: unknown): readonly unknown[] {
  if (!(bundle instanceof Uint8Array)) throw new TypeError('a bundle has no bytes');
  return decodeBundle(bundle).entries.map((entry): unknown =>
    JSON.parse(Buffer.from(entry).toString('utf8')),
  );
}

/** Entries in the journal that the database does not have yet, from a place on. */
function inJournal(path: string, id: unknown, sequence: number, offset: number, orgId: string) {
  if (!(id instanceof Uint8Array)) throw new TypeError('the store knows no journal');
  const journal = openJournal({ path, id, place: { sequence, offset } });
  const entries: unknown[] = [];
  for (let frame = journal.read(); frame !== undefined; frame = journal.read(frame.next)) {
    const own = decodePayload(frame.payload).filter((batch) => batch.orgId === orgId);
    entries.push(...own.flatMap(({ bundle }) => parsed(bundle)));
  }
  journal.close();
  return entries;
}

/**
 * Every entry of a log as it is durable now, in its order: those in the database, through a connection of its own, and
 * those that are in the journal only.
 */
export function entriesOnDisk(
  running: TestGateway,
  orgId: string = running.organizationId,
): readonly unknown[] {
  const store = running.store('read');
  try {
    store.exec('begin');
    const rows = store
      .prepare('select bytes from entry_bundles where org_id = ? order by first_index')
      .all(orgId);
    const place = store.prepare('select journal_id, next_sequence, next_offset from journal_places').get();
    const path = join(running.directory, 'countersign.journal');
    const { journal_id: id, next_sequence: sequence, next_offset: offset } = place ?? {};
    const late = inJournal(path, id, Number(sequence), Number(offset), orgId);
    return [...rows.flatMap(({ bytes }) => parsed(bytes)), ...late];
  } finally {
    store.close();
  }
}

type Commit = (batches: readonly OrgBatch[]) => Promise<readonly OrgCommit[]>;

/** Puts `commit` between the data plane and the thread that commits, for the time of `run`. */
async function interpose<T>(
  running: TestGateway,
  commit: (batches: readonly OrgBatch[], pass: Commit) => ReturnType<Commit>,
  run: () => Promise<T>,
): Promise<T> {
  const { threads } = running.server.store;
  const { commit: pass } = threads;
  Object.assign(threads, { commit: (batches: readonly OrgBatch[]) => commit(batches, pass) });
  try {
    return await run();
  } finally {
    Object.assign(threads, { commit: pass });
  }
}

/** Holds every commit of calls back, for the time of `run` or until it frees them. */
export function whileNothingCommits<T>(
  running: TestGateway,
  run: (free: () => void) => Promise<T>,
): Promise<T> {
  const { promise: freed, resolve: free } = Promise.withResolvers<void>();
  return interpose(
    running,
    (batches, pass) => freed.then(() => pass(batches)),
    () => run(free).finally(free),
  );
}

/** Refuses every commit that holds this text, for the time of `run`. */
export function whileRefusing<T>(running: TestGateway, text: string, run: () => Promise<T>): Promise<T> {
  const holds = ({ bundle }: OrgBatch): boolean => Buffer.from(bundle).includes(text);
  return interpose(
    running,
    (batches, pass) =>
      batches.some(holds)
        ? Promise.reject(new AppError('storage_unavailable', 'the disk is full'))
        : pass(batches),
    run,
  );
}

/** Makes the database refuse entries, and waits until calls are refused for it. Returns what ends it. */
export async function failDatabase(running: TestGateway): Promise<() => void> {
  const disk = running.store('write');
  disk.exec(
    "create trigger full before insert on entry_bundles begin select raise(abort, 'the disk is full'); end",
  );
  const end = performance.now() + 5_000;
  // What the journal has room for is still written: the refusals begin when it cannot be taken in.
  while ((await running.call({ body: { model: 'nobody-has-this', messages: [] } })).status !== 503) {
    if (performance.now() > end) throw new Error('nothing is refused');
  }
  return () => {
    disk.exec('drop trigger full');
    disk.close();
  };
}
