// Owns starting a server again over the store of one that has stopped.

import { serve } from '@countersign/server/compose/serve';
import { loadConfig } from '@countersign/server/platform/config/load';
import { createLog } from '@countersign/server/platform/log/log';
import { createShutdown } from '@countersign/server/platform/shutdown/shutdown';
import { assertReplays, storageOf } from './replayed-store.ts';
import { requestApi, type TestServer, type TestServerOptions, testEnvironment } from './server.ts';

/** The same organization and keys behind a new process's URL. */
export async function restartServer(
  before: TestServer,
  options: TestServerOptions & { readonly directory: string },
): Promise<TestServer> {
  const env = { ...testEnvironment(options.directory), ...options.env };
  const { config } = loadConfig(env, () => '');
  const shutdown = createShutdown(() => performance.now());
  const server = await serve(config, createLog({ level: config.logLevel }), shutdown);
  return {
    ...before,
    url: server.url,
    server,
    api: (method, path, body, key = before.managementKey) => requestApi(server.url, key, method, path, body),
    stop: async (log) => {
      const report = await shutdown.begin('the test has ended');
      await assertReplays(storageOf(env), log === 'damaged' ? [before.organizationId] : []);
      return report;
    },
  };
}
