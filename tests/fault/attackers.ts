// Owns clients that hold connections on purpose, in a thread of their own: what they cost themselves is in no measurement.

import { connect, type Socket } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

type Attack = { readonly port: number; readonly dripping: number; readonly idle: number };

/** What became of the heads that never end. */
export type AttackReport = {
  /** Heads that the server ended, and the longest that one was held, in milliseconds. */
  readonly cut: number;
  readonly longestMs: number;
  /** What each that was cut heard, without repetition: the first line. */
  readonly said: readonly string[];
  /** Heads that were held for longer than they may at the end. */
  readonly overdue: number;
  /** Idle connections that were still open at the end. */
  readonly idleOpen: number;
};

function isAttack(value: unknown): value is Attack {
  return typeof value === 'object' && value !== null && 'dripping' in value;
}

function isReport(value: unknown): value is AttackReport {
  return typeof value === 'object' && value !== null && 'longestMs' in value;
}

/** Opens and drips; each head that is cut is begun again, as an attacker would. Spread over half a second. */
function attack({ port, dripping, idle }: Attack, overdueMs: number) {
  const said = new Set<string>();
  const open = new Map<Socket, number>();
  const silent = new Set<Socket>();
  let cut = 0;
  let longestMs = 0;
  let isOver = false;

  function drip(): void {
    const socket = connect(port, '127.0.0.1');
    open.set(socket, performance.now());
    let heard = '';
    // Each drips a header a little: a clock that a byte restarts would never end it.
    const timer = setInterval(() => socket.write('x-drip: a\r\n'), 200);
    socket.on('data', (chunk) => {
      heard += String(chunk);
    });
    socket.on('error', () => {});
    socket.once('close', () => {
      clearInterval(timer);
      if (isOver) return;
      cut += 1;
      longestMs = Math.max(longestMs, performance.now() - (open.get(socket) ?? 0));
      said.add(heard.split('\r\n')[0] ?? '');
      open.delete(socket);
      drip();
    });
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: gateway.test\r\n');
  }

  function keepSilent(): void {
    const socket = connect(port, '127.0.0.1');
    silent.add(socket);
    // Whoever does not read does not hear the end either.
    socket.resume();
    socket.on('error', () => {});
    socket.once('close', () => silent.delete(socket));
  }

  const step = 25;
  for (let n = 0; n < dripping; n += 1) setTimeout(drip, (n * 500) / dripping);
  for (let n = 0; n < idle; n += step)
    setTimeout(() => Array.from({ length: Math.min(step, idle - n) }, keepSilent), (n * 500) / idle);
  return (): AttackReport => {
    isOver = true;
    const overdue = [...open.values()].filter((at) => performance.now() - at > overdueMs).length;
    const report = { cut, longestMs, said: [...said], overdue, idleOpen: silent.size };
    for (const socket of [...open.keys(), ...silent]) socket.destroy();
    return report;
  };
}

export type Attackers = { readonly stop: () => Promise<AttackReport> };

/** Starts them against a port of this machine; resolves when all have come. A head held longer is overdue. */
export async function startAttackers(given: Attack, overdueMs: number): Promise<Attackers> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { ...given, overdueMs } });
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  return {
    stop: async () => {
      const report = await new Promise<unknown>((resolve, reject) => {
        worker.once('message', resolve).once('error', reject);
        worker.postMessage('stop');
      });
      await worker.terminate();
      if (!isReport(report)) throw new TypeError('the attackers gave no report');
      return report;
    },
  };
}

if (!isMainThread && parentPort !== null && isAttack(workerData)) {
  const port = parentPort;
  const overdueMs = 'overdueMs' in workerData ? Number(workerData.overdueMs) : 0;
  const stop = attack(workerData, overdueMs);
  setTimeout(() => port.postMessage('holding'), 700);
  port.once('message', () => port.postMessage(stop()));
}
