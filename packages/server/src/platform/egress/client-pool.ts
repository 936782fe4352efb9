// Owns the connections of the data plane: a free list for each origin, last in first out, without a cap on those in use.

import { Connection, type ConnectionOwner, type ConnectionUser, type Dial } from '../http1/connection.ts';
import type { Egress } from './egress.ts';

/** A connection that carries one exchange: what its user does with it, until the one `release` or `destroy`. */
export type PooledConnection = Pick<Connection, 'write' | 'pause' | 'resume' | 'release' | 'destroy'>;

export type ClientPool = {
  /**
   * Takes an idle connection of the origin, or opens one: `user.onReady` follows, or `user.onBroken`, and neither
   * before this has returned. Throws when the pool is closed or the origin is none.
   */
  acquire(origin: string, connectTimeoutMs: number, user: ConnectionUser): PooledConnection;
};

export type ClientPoolOptions = {
  readonly egress: Pick<Egress, 'connector'>;
  /** Milliseconds after which an idle connection is closed, whatever its server says; 60,000 when absent. */
  readonly idleMs?: number;
  /** Idle connections kept for each origin; 1,024 when absent. Those in use are not counted. */
  readonly maxIdle?: number;
};

/** At most so much later than its time an idle connection is closed, in milliseconds. It is never used after it. */
const sweepMs = 1_000;

function dialer({ connector }: ClientPoolOptions['egress'], origin: string): Dial {
  const { hostname, host, protocol, port } = new URL(origin);
  return (timeoutMs, onDialled) => connector(timeoutMs)({ hostname, host, protocol, port }, onDialled);
}

/** What the connections of all origins share. */
type Shared = {
  readonly all: Set<Connection>;
  readonly idleMs: number;
  readonly maxIdle: number;
  readonly turns: Turns;
};

/** The connections of one origin: of the idle ones, the last one given back is at the end. */
class Origin implements ConnectionOwner {
  readonly #dial: Dial;
  readonly #shared: Shared;
  #idle: Connection[] = [];

  constructor(dial: Dial, shared: Shared) {
    this.#dial = dial;
    this.#shared = shared;
  }

  /**
   * One that is idle and may be used: the last one given back of those of which the loop has looked since whether
   * anything came, or else the last of all.
   */
  take(): Connection | undefined {
    const now = performance.now();
    const idle = this.#idle;
    for (;;) {
      let at = idle.length - 1;
      while (at > 0 && !this.isLookedAt(idle[at])) at -= 1;
      if (!this.isLookedAt(idle[at])) at = idle.length - 1;
      const connection = at === idle.length - 1 ? idle.pop() : idle.splice(at, 1)[0];
      if (connection === undefined || (!connection.destroyed && connection.idleUntil > now))
        return connection;
      connection.destroy();
    }
  }

  /** True if the loop has read its sockets since the connection became idle. */
  isLookedAt(connection: Connection | undefined): boolean {
    return connection !== undefined && this.#shared.turns.isPast(connection.idleFrom);
  }

  make(): Connection {
    const connection = new Connection(this.#dial, this);
    this.#shared.all.add(connection);
    return connection;
  }

  keep(connection: Connection): boolean {
    const { maxIdle, idleMs, turns } = this.#shared;
    if (this.#idle.length >= maxIdle) return false;
    connection.idleUntil = Math.min(connection.idleUntil, performance.now() + idleMs);
    connection.idleFrom = turns.mark();
    this.#idle.push(connection);
    return true;
  }

  forget(connection: Connection): void {
    this.#shared.all.delete(connection);
  }

  /** Closes those whose time is over. */
  sweep(): void {
    const now = performance.now();
    const kept: Connection[] = [];
    for (const connection of this.#idle) {
      if (connection.idleUntil > now && !connection.destroyed) kept.push(connection);
      else connection.destroy();
    }
    this.#idle = kept;
  }
}

/** Counts the turns of the event loop, for as long as somebody wants to know. */
type Turns = {
  /** A name for this moment. */
  readonly mark: () => number;
  /** True if the loop has read all sockets that were ready at some time after that moment. */
  readonly isPast: (mark: number) => boolean;
};

function createTurns(): Turns {
  let turn = 0;
  let wanted = 0;
  let isCounting = false;
  const count = (): void => {
    turn += 1;
    isCounting = turn < wanted;
    if (isCounting) setImmediate(count);
  };
  return {
    mark() {
      // The first end of a turn may be that of the one in which the sockets are being read just now.
      wanted = turn + 2;
      if (!isCounting) setImmediate(count);
      isCounting = true;
      return wanted;
    },
    isPast: (mark) => turn >= mark,
  };
}

/** Lets idle connections begin when the loop has read its sockets: one wait for all that are taken in a turn. */
function createTurn(): (connection: Connection) => void {
  let waiting: Connection[] = [];
  const begin = (): void => {
    const ready = waiting;
    waiting = [];
    for (const connection of ready) connection.begin();
  };
  return (connection) => {
    if (waiting.push(connection) === 1) setImmediate(begin);
  };
}

/**
 * Opens the pool. Taking and giving back is a pop and a push; a timer closes what was idle for long. `close`
 * destroys every connection, also those in use, and waits for their ends.
 */
export function openClientPool(options: ClientPoolOptions): ClientPool & { close(): Promise<void> } {
  const { egress, idleMs = 60_000, maxIdle = 1_024 } = options;
  const origins = new Map<string, Origin>();
  const all = new Set<Connection>();
  const beginInTurn = createTurn();
  const shared: Shared = { all, idleMs, maxIdle, turns: createTurns() };
  let isClosed = false;

  const originOf = (name: string): Origin => {
    const known = origins.get(name);
    if (known !== undefined) return known;
    const made = new Origin(dialer(egress, name), shared);
    origins.set(name, made);
    return made;
  };
  const timer = setInterval(
    () => {
      for (const origin of origins.values()) origin.sweep();
    },
    Math.min(sweepMs, idleMs),
  );
  timer.unref();

  return {
    acquire(origin, connectTimeoutMs, user) {
      if (isClosed) throw new Error('the client pool is closed');
      const from = originOf(origin);
      const idle = from.take();
      if (idle !== undefined) {
        idle.take(user, connectTimeoutMs);
        if (from.isLookedAt(idle)) queueMicrotask(() => idle.begin());
        else beginInTurn(idle);
        return idle;
      }
      const made = from.make();
      made.open(user, connectTimeoutMs);
      return made;
    },
    async close() {
      isClosed = true;
      clearInterval(timer);
      await Promise.all(
        [...all].map((connection) => connection.close(new Error('the client pool is closed'))),
      );
    },
  };
}
