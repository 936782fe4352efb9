// Owns the clients of the data plane: a free list for each origin, last in first out, without a cap on those in use.

import Client from 'undici/lib/dispatcher/client.js';
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

/** The idle clients of all origins; time is counted in sweeps, because a clock costs more than a push. */
function createIdleClients(maxIdle: number) {
  const lists = new Map<string, FreeList>();
  let sweeps = 0;
  return {
    take: (origin: string): Slot | undefined => lists.get(origin)?.pop(),
    /** False when the origin has enough of them. */
    keep(origin: string, slot: Slot): boolean {
      const free = lists.get(origin) ?? [];
      if (free.length >= maxIdle) return false;
      if (free.length === 0) lists.set(origin, free);
      slot.idleSince = sweeps;
      free.push(slot);
      return true;
    },
    /** Takes out those that were idle for `idleSweeps`. */
    sweep(): readonly Slot[] {
      sweeps += 1;
      const stale: Slot[] = [];
      for (const [origin, free] of lists) {
        const kept = free.findIndex((slot) => slot.idleSince > sweeps - idleSweeps);
        stale.push(...free.splice(0, kept < 0 ? free.length : kept));
        if (free.length === 0) lists.delete(origin);
      }
      return stale;
    },
    clear: (): void => lists.clear(),
  };
}

function isDead({ client }: Slot): boolean {
  return client.destroyed || client.closed;
}

/**
 * Opens the pool. Taking and giving back is a pop and a push; a timer closes what was idle for long. `close`
 * destroys every client, also those in use, and waits for their ends.
 */
export function openClientPool(options: ClientPoolOptions): ClientPool & { close(): Promise<void> } {
  const { egress, idleMs = 60_000, maxIdle = 1_024 } = options;
  const idle = createIdleClients(maxIdle);
  const all = new Set<Client>();
  let isClosed = false;

  const drop = ({ client }: Slot): void => {
    all.delete(client);
    client.destroy(null, ignore);
  };
  const take = (origin: string, connectTimeoutMs: number): Slot => {
    let slot = idle.take(origin);
    // A client may die while it is idle.
    while (slot !== undefined && isDead(slot)) {
      drop(slot);
      slot = idle.take(origin);
    }
    if (slot !== undefined) {
      slot.connectTimeoutMs = connectTimeoutMs;
      return slot;
    }
    const made = openSlot(egress, origin, connectTimeoutMs);
    all.add(made.client);
    return made;
  };
  const timer = setInterval(() => idle.sweep().forEach(drop), idleMs / idleSweeps);
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
          if (isClosed || isDead(slot) || !idle.keep(origin, slot)) drop(slot);
        },
      };
    },
    async close() {
      isClosed = true;
      clearInterval(timer);
      idle.clear();
      await Promise.all([...all].map((client) => client.destroy()));
      all.clear();
    },
  };
}
