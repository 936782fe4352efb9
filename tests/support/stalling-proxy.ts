// Owns a TCP proxy that can go silent without closing anything, as a network partition does, or cut every line.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type StallingProxy = {
  readonly port: number;
  /** From now on no byte passes in either direction, and nothing is closed. */
  readonly stall: () => void;
  /** What was sent meanwhile arrives late, also from those who have closed their end: their kernels sent it again. */
  readonly resume: () => void;
  /** Resets every connection; new ones are served. */
  readonly cut: () => void;
  /** Connections that are open at the near end. */
  readonly open: () => number;
  readonly close: () => void;
};

/** Listens on a free loopback port and passes everything on to `target`. */
export async function startStallingProxy(target: {
  readonly host: string;
  readonly port: number;
}): Promise<StallingProxy> {
  const sockets = new Set<Socket>();
  let open = 0;
  let isStalled = false;

  function keep(socket: Socket, other: Socket): void {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => other.write(chunk));
    socket.on('end', () => other.end());
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroySoon();
    });
    if (isStalled) socket.pause();
  }

  const server = createServer((near) => {
    const far = connect(target);
    open += 1;
    near.on('close', () => {
      open -= 1;
    });
    keep(near, far);
    keep(far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');

  function each(act: (socket: Socket) => void): void {
    for (const socket of [...sockets]) act(socket);
  }

  return {
    port: address.port,
    stall() {
      isStalled = true;
      each((socket) => socket.pause());
    },
    resume() {
      isStalled = false;
      each((socket) => socket.resume());
    },
    cut: () => each((socket) => socket.destroy()),
    open: () => open,
    close() {
      server.close();
      each((socket) => socket.destroy());
    },
  };
}
