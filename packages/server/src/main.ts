// Owns the process: configuration, log, the server, signals, and what is printed at the start.

import { AppError } from '@countersign/core/errors';
import { readFlags } from './compose/flags.ts';
import { serve } from './compose/serve.ts';
import { readSettings } from './compose/settings.ts';
import { ConfigError } from './platform/config/load.ts';
import { createLog } from './platform/log/log.ts';
import { scrubText } from './platform/log/scrub-text.ts';
import { createShutdown } from './platform/shutdown/shutdown.ts';
import { stopOnSignals } from './platform/shutdown/signals.ts';

const help = `countersign serve: the gateway and its administration in one process

Settings come from the environment (COUNTERSIGN_…) or the JSON file that COUNTERSIGN_CONFIG names;
\`countersign config print\` shows each with where it came from.

  --listen HOST:PORT  COUNTERSIGN_LISTEN      address and port (127.0.0.1:7070)
  --public-url URL    COUNTERSIGN_PUBLIC_URL  the URL by which others reach this server: set it before the first
                                              start, its host stays in the origin of every ledger
  --data-dir DIR      COUNTERSIGN_DATA_DIR    folder of the embedded store (./.countersign)
  --config FILE       COUNTERSIGN_CONFIG      settings in JSON
  --json                                      say where it runs in a line of JSON
                      DATABASE_URL            PostgreSQL instead of the embedded store

A flag wins over its variable. With npm they follow two dashes: npm start -- --listen 127.0.0.1:7071
`;

async function start(env: Readonly<Record<string, string | undefined>>, json: boolean): Promise<void> {
  const config = readSettings(env);
  const log = createLog({ level: config.logLevel, base: { node: config.nodeName } });
  // Node would print it with all that it says.
  process.once('uncaughtException', (error) => {
    log.fatal({ error }, 'stopped: an error that nothing caught');
    process.exit(1);
  });
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
  const { setupUrl } = server;
  if (json) process.stdout.write(`${JSON.stringify({ url, managementUrl, setupUrl })}\n`);
  else if (setupUrl !== undefined)
    process.stdout.write(`\nCountersign is running on ${url}\nSet it up once, here: ${setupUrl}\n\n`);
}

/**
 * Starts, and says in one sentence why it could not. `env` wins over the process's own; with `json`, where it runs
 * and its set-up link, while there is one, are a line of JSON on standard output.
 */
export async function runServer(env: Readonly<Record<string, string>>, json: boolean): Promise<void> {
  try {
    await start({ ...process.env, ...env }, json);
  } catch (error) {
    const isKnown = error instanceof AppError || error instanceof ConfigError;
    // Our own sentences name settings and hold no secret; what others say may.
    const text = isKnown ? error.message : scrubText(String(error instanceof Error ? error.stack : error));
    process.stderr.write(`countersign: ${text}\n`);
    process.exit(1);
  }
}

function runWords(words: readonly string[]): void {
  const read = readFlags(words);
  if (read.kind === 'start') {
    void runServer(read.env, read.json);
    return;
  }
  if (read.kind === 'help') process.stdout.write(help);
  else {
    process.stderr.write(`countersign: ${read.why}\n`);
    process.exitCode = 2;
  }
}

// The command line imports this file, and has read its own flags.
if (import.meta.main) runWords(process.argv.slice(2));
