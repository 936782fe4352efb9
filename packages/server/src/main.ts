// Owns the process: configuration, log, the server, signals, and what is printed at the start.

import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { AppError } from '@countersign/core/errors';
import { serve } from './compose/serve.ts';
import { readSettings } from './compose/settings.ts';
import { ConfigError } from './platform/config/load.ts';
import { createLog } from './platform/log/log.ts';
import { createShutdown } from './platform/shutdown/shutdown.ts';
import { stopOnSignals } from './platform/shutdown/signals.ts';

const help = `countersign serve: the gateway and its administration in one process

Settings come from the environment (COUNTERSIGN_…) or the JSON file that COUNTERSIGN_CONFIG names;
\`countersign config print\` shows each with where it came from.

  COUNTERSIGN_LISTEN      address and port (127.0.0.1:7070)
  COUNTERSIGN_DATA_DIR    folder of the embedded store (./.countersign)
  COUNTERSIGN_PUBLIC_URL  the URL by which others reach this server
  DATABASE_URL            PostgreSQL instead of the embedded store
`;

/** Where there is one core, helper threads of the collector only take turns with what they should help. */
if (availableParallelism() === 1) setFlagsFromString('--single-threaded-gc');

async function start(): Promise<void> {
  const config = readSettings(process.env);
  const log = createLog({ level: config.logLevel, base: { node: config.nodeName } });
  const shutdown = createShutdown(() => performance.now());
  stopOnSignals(shutdown, {
    process,
    exit: (code) => process.exit(code),
    report: (report) => log.info({ ...report }, 'stopped'),
  });
  const server = await serve(config, log, shutdown, () => {
    void shutdown.begin('the store has ended').then((report) => {
      log.fatal({ ...report }, 'stopped: the store had ended by itself');
      process.exit(1);
    });
  });
  const { url, managementUrl, store } = server;
  log.info({ url, managementUrl, orphansClosed: store.threads.orphansClosed }, 'ready');
  if (server.setupUrl === undefined) return;
  process.stdout.write(`\nCountersign is running on ${url}\nSet it up once, here: ${server.setupUrl}\n\n`);
}

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  process.stdout.write(help);
} else {
  start().catch((error: unknown) => {
    const isKnown = error instanceof AppError || error instanceof ConfigError;
    process.stderr.write(
      `countersign: ${isKnown ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
    );
    process.exit(1);
  });
}
