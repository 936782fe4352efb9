// Owns what each fault is tested on: a store, a server as a process of its own, a provider of ours, its model.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Initialized } from '@countersign/server/control/init-organization';
import { assertReplays, storageOf } from '../support/replayed-store.ts';
import { textAt } from '../support/server.ts';
import {
  type Environment,
  initProcessStore,
  type ProcessOptions,
  processEnv,
  type ServerProcess,
  startProcess,
} from '../support/server-process.ts';
import { type Ask, ask, type Reply } from './client.ts';
import { type FaultProvider, startFaultProvider } from './provider.ts';

/** True when the full counts are asked for. */
export const isLong = process.env.COUNTERSIGN_LONG === '1';

/** How much a test does: the full count in the long mode. */
export function scale(short: number, long: number): number {
  return isLong ? long : short;
}

export type Bed = {
  readonly directory: string;
  readonly keys: Initialized;
  readonly provider: FaultProvider;
  /** The process that serves now. */
  readonly server: () => ServerProcess;
  /** Starts another process on the same store, after the former has ended. */
  readonly start: () => Promise<ServerProcess>;
  readonly ask: (asked: Pick<Ask, 'marker'> & Partial<Ask>) => Promise<Reply>;
  readonly api: (method: string, path: string, body?: unknown) => Promise<unknown>;
  readonly fetchText: (path: string) => Promise<string>;
  readonly fetchBytes: (path: string) => Promise<Uint8Array>;
};

export type BedOptions = {
  readonly answer: FaultProvider['answer'];
  /** An existing folder for the store, and how it is cleared away; absent: a new one, removed at the end. */
  readonly disk?: { readonly directory: string; readonly remove: () => void };
  readonly env?: Environment;
  readonly process?: Omit<ProcessOptions, 'env'>;
  readonly timeouts?: { readonly connectMs: number; readonly firstByteMs: number; readonly idleMs: number };
};

const patient = { connectMs: 5_000, firstByteMs: 120_000, idleMs: 120_000 } as const;

/** Makes the bed; when the test ends, its logs must verify and replay, and it is cleared away. */
export async function makeBed(t: Pick<TestContext, 'after'>, options: BedOptions): Promise<Bed> {
  const directory = options.disk?.directory ?? mkdtempSync(join(tmpdir(), 'countersign-fault-'));
  const remove = options.disk?.remove ?? (() => rmSync(directory, { recursive: true, force: true }));
  const env = processEnv(directory, options.env);
  const keys = await initProcessStore(env);
  const provider = await startFaultProvider(options.answer);
  let current = await startProcess({ ...options.process, env });
  t.after(async () => {
    await current.kill();
    await provider.close();
    await assertReplays(storageOf(env)).finally(remove);
  });

  async function get(path: string, accept: string): Promise<Response> {
    const headers = { authorization: `Bearer ${keys.managementKey}`, accept };
    const response = await fetch(`${current.url}/api/v1${path}`, { headers });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  async function api(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${current.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${keys.managementKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  const bed: Bed = {
    directory,
    keys,
    provider,
    server: () => current,
    start: async () => {
      current = await startProcess({ ...options.process, env });
      return current;
    },
    ask: (asked) => ask({ url: current.url, key: keys.modelsKey, ...asked }),
    api,
    fetchText: async (path) => (await get(path, 'application/json')).text(),
    fetchBytes: async (path) =>
      new Uint8Array(await (await get(path, 'application/octet-stream')).arrayBuffer()),
  };
  await furnish(bed, options.timeouts ?? patient);
  return bed;
}

async function furnish(bed: Bed, timeouts: NonNullable<BedOptions['timeouts']>): Promise<void> {
  const provider = await bed.api('POST', '/providers', {
    name: 'fault',
    kind: 'openai_compatible',
    baseUrl: `${bed.provider.url}/v1`,
    external: false,
    timeouts,
  });
  await bed.api('POST', '/models', {
    name: 'fault',
    providerId: textAt(provider, 'id'),
    // Streams here end by what is tested, not by a ceiling; a token costs one nano-unit.
    outputCeiling: 100_000_000,
    price: { input: 1_000, output: 1_000 },
  });
  await bed.api('POST', '/budgets', {
    name: 'all',
    scope: { kind: 'organization' },
    period: 'total',
    limitNanos: 9_000_000_000_000,
    warnAtPercent: 90,
    action: 'stop',
  });
}
