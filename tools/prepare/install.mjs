// Owns the installation from the lockfile: when node_modules is missing or stale, one `npm ci`, under a lock.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeLock } from './lock.mjs';

const waitMs = 15 * 60_000;

function say(message) {
  process.stderr.write(`countersign: ${message}\n`);
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Whether node_modules holds what the lockfile names. npm keeps its own copy of the lockfile of what it laid
 * down, and removes it while it works, so a half-done installation is never taken for a whole one.
 */
export function isInstalled(root, lockText) {
  const laid = readText(join(root, 'node_modules', '.package-lock.json'));
  if (laid === undefined) return false;
  try {
    const want = JSON.parse(lockText).packages ?? {};
    const have = JSON.parse(laid).packages ?? {};
    if (Object.keys(have).some((path) => want[path] === undefined)) return false;
    return Object.entries(want).every(([path, entry]) => {
      if (!path.includes('node_modules/')) return true;
      const there = have[path];
      if (there === undefined) return entry.optional === true;
      return entry.link === true || (there.version === entry.version && there.integrity === entry.integrity);
    });
  } catch {
    return false;
  }
}

/** Runs `npm ci`; its output goes to stderr, so that a command's own stdout stays parseable. */
function npmCi(root) {
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  const cli = process.env.npm_execpath;
  const viaNode = cli !== undefined && /npm-cli\.c?js$/.test(cli);
  return new Promise((resolve) => {
    const child = viaNode
      ? spawn(process.execPath, [cli, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
      : spawn('npm', args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
    child.on('error', (error) => resolve(`cannot run npm: ${error.message}; install npm 10 or newer`));
    child.on('exit', (code) =>
      resolve(
        code === 0
          ? undefined
          : 'the installation from package-lock.json failed; read the lines above, check that the package registry ' +
              'can be reached, and run the command again',
      ),
    );
  });
}

async function install(root, lockText, stamp, hash) {
  if (isInstalled(root, lockText)) {
    writeFileSync(stamp, hash);
    return { ok: true };
  }
  say('installing what package-lock.json names; the first time this takes a minute …');
  const started = Date.now();
  const failure = await npmCi(root);
  if (failure !== undefined) return { ok: false, message: failure };
  writeFileSync(stamp, hash);
  say(`installed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return { ok: true };
}

/**
 * Makes node_modules what the lockfile says: { ok: true }, or { ok: false, message } with what to do.
 * A stamp with the lockfile's hash makes the usual case one file comparison.
 */
export async function prepare(root) {
  const lockText = readText(join(root, 'package-lock.json'));
  if (lockText === undefined) {
    return { ok: false, message: 'package-lock.json is missing from this checkout; check it out again' };
  }
  const stamp = join(root, 'node_modules', '.countersign-stamp');
  const hash = `${createHash('sha256').update(lockText).digest('hex')}\n`;
  if (readText(stamp) === hash) return { ok: true };
  mkdirSync(join(root, '.cache'), { recursive: true });
  const lock = join(root, '.cache', 'prepare.lock');
  const release = await takeLock(lock, {
    timeoutMs: waitMs,
    onWait: (pid) => say(`waiting for process ${pid ?? 'that is starting'}, which is installing …`),
  });
  if (release === undefined) {
    return {
      ok: false,
      message:
        'another process has been installing for 15 minutes; end it, delete `.cache/prepare.lock` and run the command again',
    };
  }
  try {
    return readText(stamp) === hash ? { ok: true } : await install(root, lockText, stamp, hash);
  } finally {
    release();
  }
}
