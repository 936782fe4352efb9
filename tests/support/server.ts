// Owns starting a real server in this process for a test: embedded store in a temporary folder, any free port.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Server, serve } from '@countersign/server/compose/serve';
import { initFirst } from '@countersign/server/compose/store';
import { loadConfig } from '@countersign/server/platform/config/load';
import { createLog } from '@countersign/server/platform/log/log';
import { createShutdown, type ShutdownReport } from '@countersign/server/platform/shutdown/shutdown';
import { assertReplays, storageOf } from './replayed-store.ts';

export type TestServer = {
  readonly url: string;
  readonly directory: string;
  readonly server: Server;
  readonly organizationId: string;
  readonly ownerId: string;
  readonly workspaceId: string;
  readonly managementKey: string;
  readonly modelsKey: string;
  /** One management operation: its answer as JSON, whatever its status. */
  readonly api: (method: string, path: string, body?: unknown, key?: string) => Promise<Answer>;
  /** Stops it; then its logs must verify and replay, but for one that the test damaged. */
  readonly stop: (log?: 'damaged') => Promise<ShutdownReport>;
};

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: unknown };

/** A member of a JSON answer, by a dotted path; undefined where there is none. */
export function at(value: unknown, path: string): unknown {
  let current: unknown = value;
  for (const name of path.split('.')) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = Object.getOwnPropertyDescriptor(current, name)?.value;
  }
  return current;
}

/** The same as text; fails the test if it is none. */
export function textAt(value: unknown, path: string): string {
  const found = at(value, path);
  if (typeof found !== 'string') throw new TypeError(`no text at \`${path}\` of ${JSON.stringify(value)}`);
  return found;
}

/** One management operation of a server: its answer as JSON, whatever its status. */
export async function requestApi(
  url: string,
  key: string,
  method: string,
  path: string,
  body: unknown,
): Promise<Answer> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  const parsed: unknown = isJson ? JSON.parse(text) : text;
  return { status: response.status, headers: response.headers, body: parsed };
}

/** The environment of a test's server over a store in this folder. */
export function testEnvironment(directory: string): { readonly [name: string]: string } {
  return {
    COUNTERSIGN_LISTEN: '127.0.0.1:0',
    COUNTERSIGN_DATA_DIR: directory,
    COUNTERSIGN_PUBLIC_URL: 'http://gateway.test',
    COUNTERSIGN_LOG_LEVEL: 'silent',
  };
}

export type TestServerOptions = {
  /** Further variables of the environment. */
  readonly env?: { readonly [name: string]: string };
  /** An existing folder; it is then not removed at the end. */
  readonly directory?: string;
};

/** Starts a server and makes its organization. Call `stop` at the end of the test. */
export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'countersign-test-'));
  const env = { ...testEnvironment(directory), ...options.env };
  const { config } = loadConfig(env, () => '');
  const shutdown = createShutdown(() => performance.now());
  const server = await serve(config, createLog({ level: config.logLevel }), shutdown);
  const made = await initFirst(server.store, {
    slug: 'acme',
    ownerEmail: 'alice@example.com',
    ownerName: 'Alice',
  });
  return {
    url: server.url,
    directory,
    server,
    organizationId: made.organizationId,
    ownerId: made.ownerId,
    workspaceId: made.workspaceId,
    managementKey: made.managementKey,
    modelsKey: made.modelsKey,
    api: (method, path, body, key = made.managementKey) => requestApi(server.url, key, method, path, body),
    stop: async (log) => {
      const report = await shutdown.begin('the test has ended');
      await assertReplays(storageOf(env), log === 'damaged' ? [made.organizationId] : []).finally(() => {
        if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
      });
      return report;
    },
  };
}
