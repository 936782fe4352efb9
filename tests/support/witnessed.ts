// Owns a server whose logs are cosigned, in tests: its logs' keys are known to the witnesses before they are asked.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { serve } from '@countersign/server/compose/serve';
import { loadConfig } from '@countersign/server/platform/config/load';
import { createLog } from '@countersign/server/platform/log/log';
import { createShutdown, type ShutdownReport } from '@countersign/server/platform/shutdown/shutdown';
import { requestApi, startServer, type TestServer, testEnvironment, textAt } from './server.ts';
import { startWitness, type TestWitness } from './witness.ts';

/** A store with one organization, no server on it, and room for files. */
export type Founded = {
  readonly before: TestServer;
  readonly directory: string;
  readonly room: string;
  /** Variables of another store than the embedded one. */
  readonly storage: { readonly [name: string]: string };
  /** The verifier key of the organization's log, and that of the installation's. */
  readonly vkey: string;
  readonly installationVkey: string;
};

export type Witnessed = {
  readonly api: TestServer['api'];
  /** The text of a successful answer's member. */
  readonly text: (path: string, member: string) => Promise<string>;
  readonly env: { readonly [name: string]: string };
  /** Lines of the server's log, as JSON. */
  readonly lines: readonly string[];
  /** The value of a metric's series as it is rendered. */
  readonly metric: (series: string) => Promise<number | undefined>;
  /** A change, so that the organization's log grows. */
  readonly grow: (name: string) => Promise<void>;
  readonly stop: () => Promise<ShutdownReport>;
};

/** Makes the store and ends its server again. */
export async function foundStore(t: TestContext, storage: Founded['storage'] = {}): Promise<Founded> {
  const room = mkdtempSync(join(tmpdir(), 'countersign-witnessed-'));
  t.after(() => rmSync(room, { recursive: true, force: true }));
  const directory = join(room, 'data');
  const before = await startServer({ directory, env: storage });
  const keyOf = async (query: string) =>
    textAt((await before.api('GET', `/ledger/checkpoint${query}`)).body, 'verifierKey');
  const vkey = await keyOf('');
  const installationVkey = await keyOf('?log=installation');
  await before.stop();
  return { before, directory, room, storage, vkey, installationVkey };
}

/** A witness that knows both logs of the store; closed with the test. */
export async function witnessOf(
  t: TestContext,
  founded: Founded,
  name: string,
  signsAs: 'itself' | 'another' = 'itself',
): Promise<TestWitness> {
  const witness = await startWitness(name, signsAs);
  t.after(witness.close);
  witness.trust(founded.vkey);
  witness.trust(founded.installationVkey);
  return witness;
}

/** Starts a server over the store that asks the witnesses of this list each second. */
export async function startWitnessed(
  t: TestContext,
  { before, directory, room, storage }: Founded,
  list: string,
): Promise<Witnessed> {
  const file = join(room, 'witnesses');
  writeFileSync(file, list);
  const asking = {
    COUNTERSIGN_WITNESSES: file,
    COUNTERSIGN_WITNESS_INTERVAL_MS: '1000',
    COUNTERSIGN_EGRESS_ALLOW: '127.0.0.1',
  };
  const { config } = loadConfig({ ...testEnvironment(directory), ...storage, ...asking }, () => '');
  const lines: string[] = [];
  const log = createLog({ level: 'info', destination: { write: (line) => void lines.push(line) } });
  const shutdown = createShutdown(() => performance.now());
  t.after(() => shutdown.begin('the test has ended'));
  const { url } = await serve(config, log, shutdown);
  const key = before.managementKey;
  const api: TestServer['api'] = (method, path, body, other = key) =>
    requestApi(url, other, method, path, body);
  const text = async (path: string, member: string) => textAt((await api('GET', path)).body, member);
  return {
    api,
    text,
    env: { COUNTERSIGN_URL: url, COUNTERSIGN_MANAGEMENT_KEY: key },
    lines,
    async metric(series) {
      const line = (await text('/metrics', 'text')).split('\n').find((one) => one.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
    async grow(name) {
      const made = await api('POST', '/workspaces', { name });
      if (made.status !== 201) throw new Error(`no workspace: ${made.status}`);
    },
    stop: () => shutdown.begin('the test stops it'),
  };
}
