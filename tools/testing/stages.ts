// Owns the list of stages of `npm test`: what each runs, in which order, and for how long at most.

import { globSync } from 'node:fs';

const minute = 60_000;

export type Stage = { readonly name: string; readonly timeoutMs: number } & (
  | {
      readonly kind: 'gate';
      readonly claim: string;
      readonly script: string;
      readonly args: readonly string[];
    }
  | { readonly kind: 'tests'; readonly patterns: readonly string[]; readonly testTimeoutMs: number }
  | { readonly kind: 'scripts'; readonly patterns: readonly string[] }
);

/** A stage of one program that must end with 0; it counts as one test. `script` is run by this Node. */
const gate = (name: string, claim: string, script: string, ...args: string[]): Stage => ({
  name,
  kind: 'gate',
  claim,
  script: `node_modules/${script}`,
  args,
  timeoutMs: 5 * minute,
});

/** A stage of node:test files. */
const tests = (name: string, minutes: number, testMinutes: number, ...patterns: string[]): Stage => ({
  name,
  kind: 'tests',
  patterns,
  timeoutMs: minutes * minute,
  testTimeoutMs: testMinutes * minute,
});

export const stages: readonly Stage[] = [
  gate('types', 'every project compiles under the strict settings', 'typescript/bin/tsc', '-b'),
  gate(
    'lint',
    'the linter finds nothing and the format is one',
    '@biomejs/biome/bin/biome',
    'check',
    '--error-on-warnings',
  ),
  gate(
    'unused',
    'no file, export or dependency is unused or undeclared',
    'knip/bin/knip.js',
    '--no-progress',
  ),
  tests('house', 5, 1, 'tests/house/**/*.test.ts'),
  tests('unit', 12, 2, 'packages/*/src/**/*.test.{ts,tsx}', 'tools/**/*.test.ts', 'bench/**/*.test.ts'),
  tests('integration', 12, 3, 'tests/integration/**/*.test.ts'),
  tests('conformance', 12, 5, 'tests/conformance/**/*.test.ts'),
  tests('fault', 12, 5, 'tests/fault/**/*.test.ts'),
  tests('browser', 12, 3, 'tests/browser/**/*.test.ts'),
  { name: 'examples', kind: 'scripts', patterns: ['examples/*/run'], timeoutMs: 3 * minute },
];

/** The files of a stage, sorted; with filters only those whose path contains one of them. */
export function filesOf(stage: Stage, root: string, filters: readonly string[]): readonly string[] {
  if (stage.kind === 'gate') return [];
  return [...new Set(stage.patterns.flatMap((pattern) => globSync(pattern, { cwd: root })))]
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
    .sort();
}
