// Owns the measurement of classification: medians over realistic and hostile texts, and a doubling test.

import { classify } from './classification.ts';
import { classifyText } from './detect.ts';
import { normalise } from './normalise.ts';
import { hostileFamilies, realisticTexts, sized } from './sample-texts.bench.ts';

const sizes = [20_000, 200_000] as const;

function timeOnce(run: () => void): number {
  const from = performance.now();
  run();
  return performance.now() - from;
}

/** Median of `rounds` timings in milliseconds, after as many to warm up. */
function median(run: () => void, rounds: number): number {
  for (let i = 0; i < rounds; i += 1) run();
  const times = Array.from({ length: rounds }, () => timeOnce(run)).sort((a, b) => a - b);
  return times[rounds >> 1] ?? 0;
}

function scanOnly(text: string): number {
  let found = 0;
  classifyText(normalise(text).text, () => {
    found += 1;
  });
  return found;
}

function row(name: string, seed: string): void {
  const [small, large] = sizes.map((size) => sized(seed, size));
  if (small === undefined || large === undefined) return;
  const double = sized(seed, 400_000);
  const ms20 = median(() => scanOnly(small), 61);
  const ms200 = median(() => scanOnly(large), 21);
  const ms400 = median(() => scanOnly(double), 11);
  const whole = median(() => classify([{ kind: 'text', role: 'user', text: large }], undefined), 11);
  console.log(
    `${name.padEnd(26)} ${ms20.toFixed(3).padStart(8)} ${ms200.toFixed(3).padStart(8)} ${((200 / ms200 / 1000) * 1000).toFixed(0).padStart(6)} ` +
      `${(ms400 / ms200).toFixed(2).padStart(6)} ${whole.toFixed(3).padStart(8)} ${String(scanOnly(large)).padStart(7)}`,
  );
}

console.log(
  `${'text'.padEnd(26)} ${'20k ms'.padStart(8)} ${'200k ms'.padStart(8)} ${'MB/s'.padStart(6)} ${'x2'.padStart(6)} ${'whole'.padStart(8)} ${'found'.padStart(7)}`,
);
for (const [name, text] of Object.entries(realisticTexts)) row(name, text);
console.log('-- hostile');
for (const [name, text] of Object.entries(hostileFamilies)) row(name, text);
