// Owns one run of the command line in tests: its words in, its streams and exit code out.

import { readFileSync, writeFileSync } from 'node:fs';
import { allCommands } from './commands.ts';
import type { ExitCode, Terminal } from './machine.ts';
import { run } from './run.ts';

export type Ran = { readonly code: ExitCode; readonly out: string; readonly err: string };

/** Runs the command in this process with this environment and nothing of the real one, without a terminal unless one is given. */
export async function runCli(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  terminal?: Terminal,
): Promise<Ran> {
  let out = '';
  let err = '';
  const code = await run(allCommands(), words, {
    env,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    terminal,
    readBytes: (path) => readFileSync(path),
    writeBytes: (path, bytes) => writeFileSync(path, bytes),
  });
  return { code, out, err };
}
