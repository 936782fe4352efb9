// Owns the search for the pinned Node 24: the one from the lockfile, or the running one when it is new enough.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const wanted = 24;

/** The major version that a binary reports, or 0 when it does not run on this machine. */
function majorOf(path) {
  const run = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 20_000 });
  const match = run.status === 0 ? /^v(\d+)\./.exec(run.stdout) : null;
  return match === null ? 0 : Number(match[1]);
}

/**
 * Finds a Node that runs the TypeScript sources: { ok: true, path } or { ok: false, message }.
 * The pinned one comes first so that everybody runs the version which was tested.
 */
export function findRuntime(root, own = process) {
  const exe = own.platform === 'win32' ? 'node.exe' : 'node';
  const os = own.platform === 'win32' ? 'win' : own.platform;
  const pinned = [
    join(root, 'node_modules', `node-${os}-${own.arch}`, 'bin', exe),
    join(root, 'node_modules', '.bin', exe),
  ].find((path) => existsSync(path) && majorOf(path) === wanted);
  if (pinned !== undefined) return { ok: true, path: pinned };
  if (Number(own.versions.node.split('.')[0]) >= wanted) return { ok: true, path: own.execPath };
  return {
    ok: false,
    message:
      `no Node ${wanted} for ${own.platform}-${own.arch}: the pinned one is not installed or does not run here, ` +
      `and this is Node ${own.versions.node}; install Node ${wanted} or newer and run the command with it`,
  };
}
