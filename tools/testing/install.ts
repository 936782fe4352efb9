// Owns the installation of what the tests need on Debian as root; elsewhere it only says what is missing.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { locate, type Requirement, requirements } from './requirements.ts';

const minute = 60_000;

function apt(args: readonly string[], timeoutMs: number): { ok: boolean; tail: string } {
  const run = spawnSync('apt-get', ['-y', '-q', '-o', 'DPkg::Lock::Timeout=300', ...args], {
    encoding: 'utf8',
    timeout: timeoutMs,
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  const output = `${run.stdout ?? ''}${run.stderr ?? ''}`.trim().split('\n');
  return { ok: run.status === 0, tail: output.slice(-15).join('\n') };
}

const missing = (): readonly Requirement[] => requirements.filter((one) => locate(one) === undefined);

/**
 * Installs what is missing where that is possible, and returns what is missing still.
 * `say` gets one line for each thing that happens.
 */
export function installRequirements(say: (line: string) => void): readonly Requirement[] {
  const wanted = missing();
  if (wanted.length === 0) return wanted;
  const names = wanted.map((one) => one.debian);
  const isDebian = existsSync('/etc/debian_version');
  if (!isDebian || process.getuid?.() !== 0) {
    const why = isDebian ? 'not root' : 'not Debian';
    say(`not installed (${why}): ${names.join(', ')}; the tests that need them are skipped by name`);
    return wanted;
  }
  say(`installing Debian packages: ${names.join(', ')}`);
  const update = apt(['update'], 5 * minute);
  // A stale list may still hold the packages: the installation tells.
  if (!update.ok) say(`apt-get update failed; going on with the lists that are there\n${update.tail}`);
  const install = apt(['install', '--no-install-recommends', ...names], 15 * minute);
  if (!install.ok) say(`apt-get install failed\n${install.tail}`);
  return missing();
}
