// Owns connections to providers: a free list for each origin, last in first out, as many as there are streams.

import { Client } from 'undici';
import type { Egress } from './egress.ts';

export type PooledClient = {
  readonly client: Client;
  /** Gives the client back; one that was destroyed is dropped. */
  release(): void;
};

export type ClientPool = {
  acquire(origin: string, connectTimeoutMs: number): PooledClient;
  /** Ends every connection. */
  close(): Promise<void>;
};

type Idle = { readonly client: Client; since: number };

/** Idle connections of one origin that are kept, and for how long, in milliseconds. */
const maxIdle = 1_024;
const idleMs = 60_000;
const sweepMs = 10_000;

/**
 * A pool over the one dialer. undici's own Pool looks through its clients one by one; a stack does not. There is
 * no cap: a connection cap below the number of streams makes the next first byte wait for a stream's end.
 */
export function openClientPool(options: {
  readonly egress: Egress;
  readonly now?: () => number;
}): ClientPool {
  const now = options.now ?? (() => performance.now());
  const free = new Map<string, Idle[]>();
  const all = new Set<Client>();

  function make(origin: string, connectTimeoutMs: number): Client {
    const client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
      maxHeaderSize: 32_768,
      connect: options.egress.connector(connectTimeoutMs),
    });
    all.add(client);
    return client;
  }

  function take(stack: Idle[] | undefined): Client | undefined {
    for (;;) {
      const idle = stack?.pop();
      if (idle === undefined) return undefined;
      if (!idle.client.destroyed && !idle.client.closed) return idle.client;
      all.delete(idle.client);
    }
  }

  function drop(client: Client): void {
    all.delete(client);
    client.destroy().catch(() => {});
  }

  function giveBack(key: string, client: Client): void {
    if (client.destroyed || client.closed) {
      all.delete(client);
      return;
    }
    const stack = free.get(key) ?? [];
    free.set(key, stack);
    if (stack.length >= maxIdle) drop(client);
    else stack.push({ client, since: now() });
  }

  /** The bottom of a stack is what was used longest ago. */
  function sweep(): void {
    const oldest = now() - idleMs;
    for (const [key, stack] of free) {
      const kept = stack.findIndex(({ since }) => since > oldest);
      for (const { client } of stack.splice(0, kept < 0 ? stack.length : kept)) drop(client);
      if (stack.length === 0) free.delete(key);
    }
  }
  const timer = setInterval(sweep, sweepMs);
  timer.unref();

  return {
    acquire(origin, connectTimeoutMs) {
      const key = `${origin} ${connectTimeoutMs}`;
      const client = take(free.get(key)) ?? make(origin, connectTimeoutMs);
      let isReleased = false;
      return {
        client,
        release() {
          if (isReleased) return;
          isReleased = true;
          giveBack(key, client);
        },
      };
    },
    async close() {
      clearInterval(timer);
      await Promise.all([...all].map((client) => client.destroy()));
      all.clear();
      free.clear();
    },
  };
}
