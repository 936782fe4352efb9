// Owns a way to a database that can be closed, as when the database is stopped: what comes is refused at once.

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export type OutageProxy = {
  readonly port: number;
  /** Resets every connection and refuses new ones. */
  readonly down: () => Promise<void>;
  readonly up: () => Promise<void>;
  readonly close: () => Promise<void>;
};

function listen(server: Server, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('the proxy has no port'));
      else resolve(address);
    });
  });
}

/** Listens on a free loopback port and passes everything on to `target`. */
export async function startOutageProxy(target: {
  readonly host: string;
  readonly port: number;
}): Promise<OutageProxy> {
  const sockets = new Set<Socket>();
  const join = (near: Socket): void => {
    const far = connect(target);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => one.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  };
  let server = createServer(join);
  const { port } = await listen(server, 0);
  const down = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.resetAndDestroy();
    });
  return {
    port,
    down,
    async up() {
      server = createServer(join);
      await listen(server, port);
    },
    close: down,
  };
}
