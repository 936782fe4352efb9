// Owns what the system says of a running process: processor time and memory, of all its threads together.

import { readFileSync } from 'node:fs';

/** How many ticks of processor time Linux counts in a second, on every platform that Node runs on. */
const ticksPerSecond = 100;

export type ProcessUsage = {
  /** Processor time since its start, user and system, in microseconds. */
  readonly cpuMicros: number;
  readonly rssBytes: number;
  /** The most memory that it has ever held. */
  readonly peakRssBytes: number;
};

/** Microseconds of processor time from `/proc/<pid>/stat`; undefined if the text is not of that form. */
export function parseCpuMicros(stat: string): number | undefined {
  // The second field is the command in parentheses and may hold spaces and parentheses: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const user = Number(fields[11]);
  const system = Number(fields[12]);
  if (!Number.isInteger(user) || !Number.isInteger(system)) return undefined;
  return ((user + system) * 1_000_000) / ticksPerSecond;
}

/** One line of `/proc/<pid>/status` without its name; undefined if it is not there. */
export function parseStatusText(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1];
}

/** Bytes of one line of `/proc/<pid>/status`, such as `VmRSS`; undefined if it is not there. */
export function parseStatusBytes(status: string, name: string): number | undefined {
  const match = /^(\d+) kB$/.exec(parseStatusText(status, name) ?? '');
  return match === null ? undefined : Number(match[1]) * 1024;
}

/** The processor numbers of a list such as `0-2,5`. */
export function parseCpuList(text: string): readonly number[] {
  return text
    .trim()
    .split(',')
    .flatMap((part) => {
      const match = /^(\d+)(?:-(\d+))?$/.exec(part);
      if (match === null) return [];
      const from = Number(match[1]);
      const to = Number(match[2] ?? from);
      return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
    });
}

/** The usage of a process, or undefined where the system does not tell (not Linux, or it has ended). */
export function readUsage(pid: number): ProcessUsage | undefined {
  try {
    const cpuMicros = parseCpuMicros(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const rssBytes = parseStatusBytes(status, 'VmRSS');
    const peakRssBytes = parseStatusBytes(status, 'VmHWM');
    if (cpuMicros === undefined || rssBytes === undefined || peakRssBytes === undefined) return undefined;
    return { cpuMicros, rssBytes, peakRssBytes };
  } catch {
    return undefined;
  }
}
