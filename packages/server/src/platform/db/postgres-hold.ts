// Owns the hold of a PostgreSQL store: one process at a time may write to it, and one that has lost the hold may not.

import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@countersign/core/errors';
import { Client } from 'pg';
import { noConnection } from './postgres.ts';

export type StoreHold = {
  /** False from the moment at which the hold is in doubt until it is there again. Asked before each write. */
  readonly isHeld: () => boolean;
  readonly release: () => Promise<void>;
};

export type HoldOptions = {
  readonly url: string;
  /** Tells this process from every other, in the server's list of connections. At most 40 characters. */
  readonly name: string;
  /** For how long a start waits for a former process to go, in milliseconds; 2000 unless told otherwise. */
  readonly waitMs?: number;
};

export type HoldHearing = {
  /** Asked once a lost hold is there again: whether no other process has had the store meanwhile. */
  readonly isUntouched: () => Promise<boolean>;
  /** The hold was lost; nothing is written until it is back. */
  readonly onLost: () => void;
  readonly onBack: () => void;
  /** Another process has or had the store: this one must end. */
  readonly onTaken: (error: AppError) => void;
};

const connectMs = 1_000;
const answerMs = 1_250;
const pingMs = 1_000;
const retryMs = 250;
const startWaitMs = 2_000;
/** For how long a process that lost its hold may find it with another, which may be its own former connection. */
const mostRefusedMs = 3_000;

/**
 * Where this machine vanishes, the server finds out within some 11 s and frees the hold. Of a hold over a socket in the
 * file system, which has no such end, it ignores them.
 */
const endSoon =
  'set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3; set idle_session_timeout = 0';

/** Locks of this kind belong to a database; the name makes one for each schema in it. */
const tryLock =
  "select pg_try_advisory_lock(hashtextextended('countersign store ' || coalesce(current_schema(), ''), 0)) as held";

/** Ends a former connection of this process, which the server may keep for long after a partition. */
const endFormer =
  'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()';

/** The refusal of a start on a store that another process holds. */
export function heldElsewhere(): AppError {
  return new AppError(
    'storage_unavailable',
    'another countersign process is using this PostgreSQL database; stop it or set DATABASE_URL to another database',
  );
}

function taken(): AppError {
  return new AppError(
    'storage_unavailable',
    'another countersign process has taken this PostgreSQL database while the connection that held it was lost',
  );
}

const applicationOf = (name: string): string => `countersign hold ${name}`;

async function connect({ url, name }: HoldOptions): Promise<Client> {
  const client = new Client({
    connectionString: url,
    application_name: applicationOf(name),
    connectionTimeoutMillis: connectMs,
    query_timeout: answerMs,
    keepAlive: true,
  });
  // Each query tells of its own failure; without a listener one between two of them would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(endSoon);
    await client.query(endFormer, [applicationOf(name)]);
    return client;
  } catch (error) {
    end(client);
    throw noConnection(error);
  }
}

/** Ends a connection without a wait for an answer, which may never come. */
function end(client: Client): void {
  client.end().catch(() => {});
  client.connection.stream.destroy();
}

/** Ends a connection that answers, so that the server has dropped the lock as soon as it can. */
async function leave(client: Client): Promise<void> {
  await Promise.race([client.end(), sleep(answerMs, undefined, { ref: false })]).catch(() => {});
  client.connection.stream.destroy();
}

async function isLocked(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>(tryLock);
  return rows[0]?.held === true;
}

/** Asks for the lock until it has it, or for so long; false if another has it to the end. */
async function lockWithin(client: Client, waitMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + waitMs;
  while (!(await isLocked(client))) {
    if (performance.now() >= giveUpAt) return false;
    await sleep(retryMs);
  }
  return true;
}

/** A connection with the lock; undefined if another process has it. Throws if the server gives none. */
async function acquire(options: HoldOptions, waitMs: number): Promise<Client | undefined> {
  const client = await connect(options);
  try {
    if (await lockWithin(client, waitMs)) return client;
  } catch (error) {
    end(client);
    throw noConnection(error);
  }
  end(client);
  return undefined;
}

/** Resolves when the connection has ended, or does not answer any more, or `signal` is aborted. */
async function untilLost(client: Client, signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  client.once('end', () => ended.abort());
  const either = AbortSignal.any([signal, ended.signal]);
  try {
    for (;;) {
      await sleep(pingMs, undefined, { signal: either });
      await client.query('select 1');
    }
  } catch {
    // Whatever it was: whether the lock is still there is not known.
  }
}

/** Takes the hold back, however long the server is away; undefined if another process has or had the store. */
async function retake(
  options: HoldOptions,
  { isUntouched }: HoldHearing,
  signal: AbortSignal,
): Promise<Client | undefined> {
  let client: Client | undefined;
  while (!signal.aborted) {
    try {
      client = await acquire(options, mostRefusedMs);
      if (client === undefined || (await isUntouched())) return client;
      end(client);
      return undefined;
    } catch {
      if (client !== undefined) end(client);
      await sleep(retryMs);
    }
  }
  return undefined;
}

/**
 * Takes the store that a URL names for this process, by a lock that the server drops when the connection ends, in
 * whatever way. Throws `storage_unavailable` if another process has it, or if the server gives no connection.
 */
export async function holdPostgres(options: HoldOptions, hear: HoldHearing): Promise<StoreHold> {
  const closing = new AbortController();
  let client = await acquire(options, options.waitMs ?? startWaitMs);
  if (client === undefined) throw heldElsewhere();
  let isHeld = true;

  async function watch(first: Client): Promise<void> {
    for (let held = first; ; ) {
      await untilLost(held, closing.signal);
      if (closing.signal.aborted) return;
      isHeld = false;
      end(held);
      hear.onLost();
      client = await retake(options, hear, closing.signal);
      if (closing.signal.aborted) return;
      if (client === undefined) return hear.onTaken(taken());
      held = client;
      isHeld = true;
      hear.onBack();
    }
  }

  const watched = watch(client);
  return {
    isHeld: () => isHeld,
    async release() {
      closing.abort();
      await watched;
      isHeld = false;
      if (client !== undefined) await leave(client);
    },
  };
}
