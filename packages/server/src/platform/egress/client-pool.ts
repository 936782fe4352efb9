// Owns the clients of the data plane: a free list for each origin, last in first out, without a cap on those in use.

import { Client } from 'undici';
import type { Connector, Egress } from './egress.ts';

/** A client that carries one exchange at a time. */
export type PooledClient = {
  readonly client: Client;
  /** Gives the client back, unless it was destroyed or closed; a second call does nothing. */
  release(): void;
};

export type ClientPool = {
  /** Takes an idle client of the origin, or makes one. Throws when the pool is closed or the origin is none. */
  acquire(origin: string, connectTimeoutMs: number): PooledClient;
};

export type ClientPoolOptions = {
  readonly egress: Pick<Egress, 'connector'>;
  /** Milliseconds after which an idle client is closed, or a sixth earlier; 60,000 when absent. */
  readonly idleMs?: number;
  /** Idle clients kept for each origin; 1,024 when absent. Those in use are not counted. */
  readonly maxIdle?: number;
};

type Slot = { readonly client: Client; connectTimeoutMs: number; idleSince: number };

/** The idle clients of one origin: the last one given back is at the end, and the first to go out again. */
type FreeList = Slot[];

/** Sweeps in the life of an idle client. */
const idleSweeps = 6;

function ignore(): void {}

function openSlot(egress: ClientPoolOptions['egress'], origin: string, connectTimeoutMs: number): Slot {
  // A client connects anew when its connection was lost while idle: then the time is that of its present holder.
  const connect: Connector = (options, callback) =>
    egress.connector(slot.connectTimeoutMs)(options, callback);
  const client = new Client(origin, {
    pipelining: 1,
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 4_000,
    keepAliveMaxTimeout: 60_000,
    maxHeaderSize: 32 * 1024,
    connect,
  });
  const slot = { client, connectTimeoutMs, idleSince: 0 };
  return slot;
}

/** Takes the slots from the list's start that were idle before `since`. */
function takeStale(free: FreeList, since: number): readonly Slot[] {
  const kept = free.findIndex((slot) => slot.idleSince > since);
  return free.splice(0, kept < 0 ? free.length : kept);
}

/**
 * Opens the pool. Taking and giving back is a pop and a push; a timer closes what was idle for long. `close`
 * destroys every client, also those in use, and waits for their ends.
 */
export function openClientPool(options: ClientPoolOptions): ClientPool & { close(): Promise<void> } {
  const { egress, idleMs = 60_000, maxIdle = 1_024 } = options;
  const lists = new Map<string, FreeList>();
  const all = new Set<Client>();
  let sweep = 0;
  let isClosed = false;

  const drop = (client: Client): void => {
    all.delete(client);
    client.destroy(null, ignore);
  };

  const give = (origin: string, slot: Slot): void => {
    const { client } = slot;
    const free = lists.get(origin) ?? [];
    if (client.destroyed || client.closed || isClosed || free.length >= maxIdle) {
      drop(client);
      return;
    }
    if (free.length === 0) lists.set(origin, free);
    slot.idleSince = sweep;
    free.push(slot);
  };

  const take = (origin: string, connectTimeoutMs: number): Slot => {
    const free = lists.get(origin);
    let slot = free?.pop();
    // A client may die while it is idle.
    while (slot !== undefined && (slot.client.destroyed || slot.client.closed)) {
      drop(slot.client);
      slot = free?.pop();
    }
    if (slot !== undefined) {
      slot.connectTimeoutMs = connectTimeoutMs;
      return slot;
    }
    const made = openSlot(egress, origin, connectTimeoutMs);
    all.add(made.client);
    return made;
  };

  const timer = setInterval(() => {
    sweep += 1;
    for (const [origin, free] of lists) {
      for (const slot of takeStale(free, sweep - idleSweeps)) drop(slot.client);
      if (free.length === 0) lists.delete(origin);
    }
  }, idleMs / idleSweeps);
  timer.unref();

  return {
    acquire(origin, connectTimeoutMs) {
      if (isClosed) throw new Error('the client pool is closed');
      const slot = take(origin, connectTimeoutMs);
      let isOut = true;
      return {
        client: slot.client,
        release() {
          if (!isOut) return;
          isOut = false;
          give(origin, slot);
        },
      };
    },
    async close() {
      isClosed = true;
      clearInterval(timer);
      lists.clear();
      await Promise.all([...all].map((client) => client.destroy()));
      all.clear();
    },
  };
}
