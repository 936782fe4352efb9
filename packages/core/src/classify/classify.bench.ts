// Owns the measurement of classification: medians over realistic and hostile texts, and a doubling test. Takes the
// number of rounds.

import { classify } from './classification.ts';
import { classifyText } from './detect.ts';
import { createTextReader } from './normalise.ts';
import { hostileFamilies, realisticTexts, sized } from './sample-texts.bench.ts';

function timeOnce(run: () => void): number {
  const from = performance.now();
  run();
  return performance.now() - from;
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Median of `count` timings in milliseconds, after as many to warm up. */
function median(run: () => void, count: number): number {
  for (let i = 0; i < count; i += 1) run();
  return middle(Array.from({ length: count }, () => timeOnce(run)));
}

const encoder = new TextEncoder();
/** As the server reads. */
const read = createTextReader((text, into) => encoder.encodeInto(text, into).read);

function scanOnly(text: string): number {
  let found = 0;
  classifyText(read(text).units, () => {
    found += 1;
  });
  return found;
}

/** A text in both sizes, and what each round took, in milliseconds. */
type Text = {
  readonly name: string;
  readonly kind: 'realistic' | 'hostile';
  readonly seed: string;
  readonly small: string;
  readonly large: string;
  readonly ms20: number[];
  readonly ms200: number[];
};

function textsOf(kind: Text['kind'], seeds: Readonly<Record<string, string>>): readonly Text[] {
  return Object.entries(seeds).map(([name, seed]) => {
    const [small, large] = [sized(seed, 20_000), sized(seed, 200_000)];
    return { name, kind, seed, small, large, ms20: [], ms200: [] };
  });
}

function row({ name, seed, large, ms20, ms200 }: Text): void {
  const double = sized(seed, 400_000);
  const ms400 = median(() => scanOnly(double), 11);
  const whole = median(() => classify([{ kind: 'text', role: 'user', text: large }], undefined), 11);
  const once = middle(ms200);
  console.log(
    `${name.padEnd(26)} ${middle(ms20).toFixed(3).padStart(8)} ${once.toFixed(3).padStart(8)} ${(200 / once).toFixed(0).padStart(6)} ` +
      `${(ms400 / once).toFixed(2).padStart(6)} ${whole.toFixed(3).padStart(8)} ${String(scanOnly(large)).padStart(7)}`,
  );
}

const rounds = Number(process.argv[2] ?? 5);
const texts = [...textsOf('realistic', realisticTexts), ...textsOf('hostile', hostileFamilies)];
// The first round warms up: it sees the code while it is still compiled for one text after the other.
for (let round = 0; round <= rounds; round += 1) {
  for (const { small, large, ms20, ms200 } of texts) {
    const times = [median(() => scanOnly(small), 31), median(() => scanOnly(large), 11)] as const;
    if (round === 0) continue;
    ms20.push(times[0]);
    ms200.push(times[1]);
  }
}
console.log(
  `${'text'.padEnd(26)} ${'20k ms'.padStart(8)} ${'200k ms'.padStart(8)} ${'MB/s'.padStart(6)} ${'x2'.padStart(6)} ${'whole'.padStart(8)} ${'found'.padStart(7)}`,
);
for (const text of texts.filter(({ kind }) => kind === 'realistic')) row(text);
console.log('-- hostile');
for (const text of texts.filter(({ kind }) => kind === 'hostile')) row(text);
const rounded = (times: readonly number[]) => times.map((ms) => Number(ms.toFixed(4)));
const figures = texts.map(({ name, kind, ms20, ms200 }) => {
  return { name, kind, ms20: rounded(ms20), ms200: rounded(ms200) };
});
console.log(JSON.stringify({ figures: 'detectors', rounds, texts: figures }));
