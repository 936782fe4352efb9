// Owns how calm a processor is: what its host lets others do on the same core, which nothing in here shows but time.

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

type Pace = { readonly average: number; readonly fastest: number };

function paceOn(cpu: number): Pace {
  const text = execFileSync('taskset', ['-c', String(cpu), process.execPath, '-e', loop], {
    encoding: 'utf8',
  });
  const [average = Number.NaN, fastest = Number.NaN] = text.slice(1, -1).split(',').map(Number);
  return { average, fastest };
}

/** By how much longer than at its fastest on any of them a loop takes on each of these processors: 0.1 is 10 %. */
export function unrestOf(processors: readonly number[]): readonly number[] {
  const paces = processors.map(paceOn);
  const fastest = Math.min(...paces.map((pace) => pace.fastest));
  return paces.map(({ average }) => average / fastest - 1);
}
