// Owns starting what is measured: the mock provider, the bare proxy, and gateways over seeded stores.

import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serverEnvironment, serverFlags } from '../tools/runtime-flags.mjs';
import type { Context } from './context.ts';
import { freePort, type Running, waitUntilReady } from './processes.ts';

export type Server = {
  readonly name: string;
  readonly port: number;
  readonly running: Running;
  /** What the load generator adds for it: headers, keys. */
  readonly loadFlags: readonly string[];
  /** How many different callers the load has for it. */
  readonly callers: number;
};

export type StoreSize = { readonly keys: number; readonly policies: number; readonly records: number };

export type SeededStore = StoreSize & { readonly directory: string; readonly keyLines: string };

const startMs = 60_000;
const nodeFlags = ['--disable-warning=ExperimentalWarning'];

/** Modules as they were compiled before, as after the first start of anything here. */
const compiled = {
  NODE_COMPILE_CACHE: join(import.meta.dirname, '..', 'node_modules', '.cache', 'countersign'),
};

/** The provider that all others call. It runs beside the load, on the load's processor. */
export async function startMock(context: Context): Promise<Server> {
  const port = await freePort();
  const { command, args } = context.tools.mock;
  const running = context.processes.start({
    name: 'mock',
    command,
    args: [...args, String(port)],
    cpu: context.pinning.load,
  });
  await waitUntilReady(running, port, '/', startMs);
  return { name: 'direct', port, running, loadFlags: [], callers: 1 };
}

/** The fair comparison. */
export async function startBareProxy(context: Context, mock: Server): Promise<Server> {
  const port = await freePort();
  const file = fileURLToPath(new URL('./bare-proxy.ts', import.meta.url));
  const running = context.processes.start({
    name: 'bare',
    command: process.execPath,
    args: [...nodeFlags, file, String(port), String(mock.port)],
    env: compiled,
    cpu: context.pinning.gateway,
  });
  await waitUntilReady(running, port, '/', startMs);
  return { name: 'bare', port, running, loadFlags: [], callers: 1 };
}

/** Makes a store of this size for gateways that call `mock`. Takes from a second to some minutes. */
export async function makeStore(context: Context, mock: Server, size: StoreSize): Promise<SeededStore> {
  const folder = join(context.run, 'stores', `${size.keys}-${size.policies}-${size.records}`);
  mkdirSync(folder, { recursive: true });
  const directory = join(folder, 'data');
  const keyLines = join(folder, 'keys.txt');
  const request = { ...size, directory, keyLines, mockPort: mock.port, publicHost: '127.0.0.1:7070' };
  await context.processes.run({
    name: 'seed',
    command: process.execPath,
    args: [...nodeFlags, fileURLToPath(new URL('./seed.ts', import.meta.url)), JSON.stringify(request)],
    cpu: undefined,
  });
  return { ...size, directory, keyLines };
}

/** A second store with the same contents: a store has one owner at a time. */
export function copyStore(store: SeededStore, name: string): SeededStore {
  const directory = `${store.directory}-${name}`;
  cpSync(store.directory, directory, { recursive: true });
  return { ...store, directory };
}

export type GatewayOptions = {
  readonly name: string;
  /** `on`: the product as it is. `off`: the benchmark's own composition, whose recorder records nothing. */
  readonly ledger: 'on' | 'off';
  /** Opens Node's inspector on a port of its own. */
  readonly hasInspector?: boolean;
};

/** Starts Countersign over a seeded store, with all of its threads on one processor. */
export async function startGateway(
  context: Context,
  store: SeededStore,
  options: GatewayOptions,
): Promise<Server> {
  const port = await freePort();
  const entry =
    options.ledger === 'on'
      ? join(context.root, 'packages', 'server', 'src', 'main.ts')
      : fileURLToPath(new URL('./ledger-off.ts', import.meta.url));
  const profile = options.hasInspector === true ? ['--inspect=127.0.0.1:0'] : [];
  const running = context.processes.start({
    name: options.name,
    command: process.execPath,
    // As `npm start` starts it.
    args: [...serverFlags, ...profile, entry],
    env: {
      ...serverEnvironment,
      ...compiled,
      COUNTERSIGN_LISTEN: `127.0.0.1:${port}`,
      COUNTERSIGN_DATA_DIR: store.directory,
      COUNTERSIGN_EGRESS_ALLOW: '127.0.0.1',
    },
    cpu: context.pinning.gateway,
  });
  await waitUntilReady(running, port, '/readyz', startMs);
  return { name: options.name, port, running, loadFlags: ['-k', store.keyLines], callers: store.keys };
}
