// Owns the measurement of an organization's classifiers: nanoseconds a code unit, memory, and hostile patterns.

import { type ClassifierSpec, compileClassifiers, findCustom, type OrgClassifiers } from './custom.ts';
import { normalise } from './normalise.ts';
import { startWork } from './patterns.ts';
import { realisticTexts, sized } from './sample-texts.bench.ts';

function median(run: () => void, rounds: number): number {
  for (let i = 0; i < 3; i += 1) run();
  const times = Array.from({ length: rounds }, () => {
    const from = performance.now();
    run();
    return performance.now() - from;
  }).sort((a, b) => a - b);
  return times[rounds >> 1] ?? 0;
}

function report(
  name: string,
  classifiers: OrgClassifiers,
  text: string,
  deadline = Number.POSITIVE_INFINITY,
): void {
  const reading = normalise(text);
  let found = 0;
  let exhausted = false;
  const ms = median(() => {
    found = 0;
    const from = performance.now();
    const work = startWork(() => performance.now() - from > deadline);
    findCustom(classifiers, reading, work, () => {
      found += 1;
    });
    exhausted = work.exhausted;
  }, 9);
  const perUnit = ((ms * 1e6) / text.length).toFixed(1);
  console.log(
    `${name.padEnd(44)} ${ms.toFixed(2).padStart(9)} ms ${perUnit.padStart(8)} ns/unit ${found} found${exhausted ? ', exhausted' : ''}`,
  );
}

/** Names that look like words: syllables in every order. */
function names(count: number): readonly string[] {
  const syllables = ['ka', 'ro', 'mi', 'ten', 'sol', 'ver', 'dan', 'qui', 'pre', 'lo'];
  return Array.from({ length: count }, (_, k) =>
    [...String(k + 10_000)].map((d) => syllables[Number(d)]).join(''),
  );
}

function dictionary(terms: readonly string[]): ClassifierSpec {
  return { kind: 'dictionary', label: 'project', terms, foldCase: true, wholeWords: true };
}

const patterns = (sources: readonly string[]): OrgClassifiers =>
  compileClassifiers(
    '1',
    sources.map((pattern) => ({ kind: 'pattern', label: 'p', pattern, foldCase: false })),
  );

const prose = sized(realisticTexts.prose, 200_000);
const heapBefore = process.memoryUsage();
const from = performance.now();
const large = compileClassifiers('1', [dictionary(names(20_000))]);
const heapAfter = process.memoryUsage();
const bytes = heapAfter.heapUsed + heapAfter.arrayBuffers - heapBefore.heapUsed - heapBefore.arrayBuffers;
console.log(
  `compile 20,000 terms: ${(performance.now() - from).toFixed(0)} ms, ${(bytes / 1e6).toFixed(1)} MB`,
);
report('dictionary, 100 terms, prose', compileClassifiers('1', [dictionary(names(100))]), prose);
report('dictionary, 20,000 terms, prose', large, prose);
report('dictionary, 20,000 terms, syllables', large, sized('karomitensolverdanquipre', 200_000));
report(
  'dictionary, 8 nested, all a',
  compileClassifiers('1', [
    {
      kind: 'dictionary',
      label: 'p',
      foldCase: false,
      wholeWords: false,
      terms: Array.from({ length: 8 }, (_, k) => 'a'.repeat(k + 2)),
    },
  ]),
  sized('a', 200_000),
);
report('1 pattern with a literal, none there', patterns(['EMP-[0-9]{6}']), prose);
report('1 pattern of classes, none there', patterns(['\\b[A-Z]{2}[0-9]{6}\\b']), prose);
report(
  '10 patterns of classes, none there',
  patterns(Array.from({ length: 10 }, (_, k) => `\\b[A-Z]{2}[0-9]{${k + 5}}\\b`)),
  prose,
);
report(
  '1 pattern, 1 match in 1,000 units',
  patterns(['EMP-[0-9]{6}']),
  sized(`${prose.slice(0, 990)}EMP-123456`, 200_000),
);
report(
  '1 pattern, 1 match in 44 units',
  patterns(['EMP-[0-9]{6}']),
  sized('the plan of EMP-123456 is due, see the list. ', 200_000),
);
report(
  '1 pattern with a loop, 1 match in 44 units',
  patterns(['EMP-[0-9]+']),
  sized('the plan of EMP-123456 is due, see the list. ', 200_000),
);
for (const [name, source, seed] of [
  ['hostile: quadratic find', '.*[^A-Z]|[A-Z]', 'A'],
  ['hostile: (?:a|b)*a(?:a|b){12}[c-d]', '(?:a|b)*a(?:a|b){12}[c-d]', 'abbabaabbbabaaab'],
  ['hostile: [ab]*a[ab]{90}[c-d]', '[ab]*a[ab]{90}[c-d]', 'abbabaabbbabaaababbabb'],
  ['hostile: ([ab]+[ab]+)+[c-d]', '([ab]+[ab]+)+[c-d]', 'ab'],
  ['hostile: [0-9]{1,90}[x-y]', '[0-9]{1,90}[x-y]', '1'],
] as const) {
  let bits = 1;
  const random = [...sized(seed, 200_000)]
    .map((c) => {
      bits = (Math.imul(bits, 1_103_515_245) + 12_345) >>> 0;
      return seed.length > 2 ? (bits & 65_536 ? 'a' : 'b') : c;
    })
    .join('');
  report(name, patterns([source]), random);
  report(`  the same, with a deadline of 20 ms`, patterns([source]), random, 20);
}
