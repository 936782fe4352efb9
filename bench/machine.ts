// Owns what the machine is: its description for the results, and which processors the benchmark uses.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { readNanosOn, unrestOf } from './calm.ts';
import { parseCpuList, parseStatusText } from './process-usage.ts';

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** When the run began, RFC 3339. */
  readonly date: string;
  readonly commit: string;
};

/**
 * `gateway` and `load` are processors for `taskset`, and `unrest` how much longer than need be a loop took on each of
 * them; undefined where nothing can be pinned.
 */
export type Pinning = {
  readonly gateway: number | undefined;
  readonly load: number | undefined;
  readonly unrest: { readonly gateway: number; readonly load: number } | undefined;
  /** What `readNanosOn` says of the one for the gateway. */
  readonly readNanos: number | undefined;
};

function outputOf(command: string, ...args: readonly string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Describes this machine and the checkout at `root`. */
export function describeMachine(root: string): Machine {
  const commit = outputOf('git', '-C', root, 'rev-parse', '--short=12', 'HEAD');
  const changes = outputOf('git', '-C', root, 'status', '--porcelain', '--untracked-files=no');
  const suffix = changes === undefined || changes === '' ? '' : ' with local changes';
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    date: new Date().toISOString(),
    commit: commit === undefined ? 'unknown' : `${commit}${suffix}`,
  };
}

/**
 * One processor for what is measured, another for the load and the mock provider: of two the calmer one is measured,
 * since others may use its core from outside. Where processors are threads of shared cores, the second is taken from
 * another core. Takes six seconds.
 */
export function choosePinning(): Pinning {
  const none = { gateway: undefined, load: undefined, unrest: undefined, readNanos: undefined };
  if (platform() !== 'linux' || outputOf('taskset', '-V') === undefined) return none;
  const allowed = parseCpuList(
    parseStatusText(readText('/proc/self/status') ?? '', 'Cpus_allowed_list') ?? '',
  );
  const [first, next] = allowed;
  if (first === undefined || next === undefined) return none;
  const siblings = parseCpuList(
    readText(`/sys/devices/system/cpu/cpu${first}/topology/thread_siblings_list`) ?? '',
  );
  const second = allowed.find((cpu) => cpu !== first && !siblings.includes(cpu)) ?? next;
  const [ofFirst = 0, ofSecond = 0] = unrestOf([first, second]);
  const [gateway, load] = ofSecond < ofFirst ? [second, first] : [first, second];
  const unrest = { gateway: Math.min(ofFirst, ofSecond), load: Math.max(ofFirst, ofSecond) };
  return { gateway, load, unrest, readNanos: readNanosOn(gateway) };
}
