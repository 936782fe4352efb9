// Owns the start of the command line: this process's streams, files and environment, and its exit code.

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { allCommands } from './commands.ts';
import type { Machine } from './machine.ts';
import { run } from './run.ts';

const machine: Machine = {
  env: process.env,
  out: (text) => process.stdout.write(text),
  drained: async () => {
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
  },
  err: (text) => process.stderr.write(text),
  terminal: process.stderr.isTTY
    ? {
        write: (text) => process.stderr.write(text),
        // A terminal whose size nobody told says 0.
        columns: () => process.stderr.columns || 80,
        now: () => performance.now(),
      }
    : undefined,
  // 0 is standard input.
  readBytes: (path) => readFileSync(path === '-' ? 0 : path),
  writeBytes: (path, bytes) => writeFileSync(path, bytes),
};

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: Error) => {
  if ('code' in error && error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await run(allCommands(), process.argv.slice(2), machine);
