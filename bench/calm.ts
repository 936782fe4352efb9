// Owns how calm the machine is: what its host lets others do on the same core and with the same caches, which nothing in
// here shows but time.

import { execFileSync } from 'node:child_process';

/** Counts for two seconds, and writes how long a thousand counts took: on average, and at the fastest, in µs. */
const loop = `
const until = performance.now() + 2_000;
let sum = 0, passes = 0, fastest = Infinity, at = performance.now();
for (let n = 0; at < until; passes += 1) {
  for (let i = 0; i < 2_000_000; i += 1) n = (n + i) | 0;
  const now = performance.now();
  if (passes > 20) { sum += now - at; fastest = Math.min(fastest, now - at); }
  at = now;
}
process.stdout.write(JSON.stringify([sum / (passes - 21), fastest]));
`;

/** Follows a random ring through 8 MB, and writes how long a step took, in ns. */
const chase = `
const length = 2 * 1024 * 1024;
const ring = Uint32Array.from({ length }, (_, i) => i);
for (let i = length - 1; i > 0; i -= 1) {
  const j = Math.floor(Math.random() * i);
  [ring[i], ring[j]] = [ring[j], ring[i]];
}
let at = 0;
for (let n = 0; n < length; n += 1) at = ring[at];
const began = performance.now();
for (let n = 0; n < 2 * length; n += 1) at = ring[at];
process.stdout.write(String(((performance.now() - began) * 1e6) / (2 * length) + (at < 0 ? 1 : 0)));
`;

const runOn = (cpu: number, script: string): string =>
  execFileSync('taskset', ['-c', String(cpu), process.execPath, '-e', script], { encoding: 'utf8' });

type Pace = { readonly average: number; readonly fastest: number };

function paceOn(cpu: number): Pace {
  const [average = Number.NaN, fastest = Number.NaN] = runOn(cpu, loop).slice(1, -1).split(',').map(Number);
  return { average, fastest };
}

/** By how much longer than at its fastest on any of them a loop takes on each of these processors: 0.1 is 10 %. */
export function unrestOf(processors: readonly number[]): readonly number[] {
  const paces = processors.map(paceOn);
  const fastest = Math.min(...paces.map((pace) => pace.fastest));
  return paces.map(({ average }) => average / fastest - 1);
}

/**
 * How long a read takes that depends on the one before, within 8 MB, in ns: 17 where a cache held that, up to 130
 * where others had it.
 */
export function readNanosOn(cpu: number): number {
  return Number(runOn(cpu, chase));
}
