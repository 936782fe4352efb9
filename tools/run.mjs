// Owns the entry of every npm script: prepares a bare clone, then hands over to the pinned Node 24.
// Plain JavaScript without dependencies, because it runs on any Node >= 20 before anything is installed.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare } from './prepare/install.mjs';
import { findRuntime } from './prepare/runtime.mjs';
import { serverEnvironment, serverFlags } from './runtime-flags.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What each command starts, relative to the root; `here` keeps the caller's working directory. */
const commands = {
  start: { entry: 'packages/server/src/main.ts', here: true },
  test: { entry: 'tools/test.ts', here: false },
  demo: { entry: 'tools/demo/main.ts', here: false },
  bench: { entry: 'bench/main.ts', here: false },
  cli: { entry: 'packages/cli/src/main.ts', here: true },
};

/** Says one sentence and ends: 2 for a wrong command, 1 for everything else. */
function refuse(message, code = 1) {
  process.stderr.write(`countersign: ${message}\n`);
  process.exit(code);
}

/**
 * Runs the entry with the caller's terminal, passes signals on, and ends as the child ended.
 * A terminal sends Ctrl-C to the whole group, so there SIGINT is not passed on: the child would see it twice.
 */
function handOver(runtime, entry, args, cwd) {
  // Stripped and compiled modules are kept: the next start is faster and takes less memory.
  const compileCache = process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'countersign');
  const child = spawn(runtime, [...serverFlags, entry, ...args], {
    cwd,
    stdio: 'inherit',
    env: {
      ...serverEnvironment,
      ...process.env,
      NODE_COMPILE_CACHE: compileCache,
      PATH: `${dirname(runtime)}${delimiter}${process.env.PATH ?? ''}`,
    },
  });
  // npm's shell may end at a signal without passing it on: whoever waits for this process is then gone.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, 500);
  watch.unref();
  const lastSent = new Map();
  const forward = (signal) => {
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    // npm repeats the signals that it gets: one request to stop must not look like two.
    const now = Date.now();
    if (now - (lastSent.get(signal) ?? 0) < 1000) return;
    lastSent.set(signal, now);
    child.kill(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
  child.on('error', (error) => refuse(`cannot start \`${runtime}\`: ${error.message}`));
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15));
  });
}

async function main() {
  const [name = '', ...rest] = process.argv.slice(2);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    refuse(`unknown command \`${name}\`; use one of ${Object.keys(commands).join(', ')}`, 2);
  }
  const major = Number(process.versions.node.split('.')[0]);
  if (!(major >= 20)) {
    refuse(`Node ${process.versions.node} is too old to install the pinned runtime; use Node 20 or newer`);
  }
  const prepared = await prepare(root);
  if (!prepared.ok) refuse(prepared.message);
  const runtime = findRuntime(root);
  if (!runtime.ok) refuse(runtime.message);
  const entry = join(root, command.entry);
  if (!existsSync(entry)) refuse(`\`${command.entry}\` is missing from this checkout; check it out again`);
  // npm drops the `--` before flags; a direct call may still carry it.
  const args = name !== 'cli' && rest[0] === '--' ? rest.slice(1) : rest;
  handOver(runtime.path, entry, args, command.here ? process.cwd() : root);
}

await main();
