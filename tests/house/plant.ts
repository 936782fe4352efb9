// Owns the shape of a planted violation, and the two assertions that every gate's test is made of.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GateName } from '../../tools/house/gates.ts';
import { gates } from '../../tools/house/gates.ts';
import { type Finding, parseTree } from '../../tools/house/tree.ts';

/** Files by path, and how many findings the gate under test must make of them: 0 for what is allowed. */
export type Plant = {
  readonly claim: string;
  readonly files: Readonly<Record<string, string>>;
  readonly finds: number;
  /** Where the first finding must be, as `path:line`. */
  readonly at?: string;
};

function sow(files: Readonly<Record<string, string>>, name: GateName): readonly Finding[] {
  const tree = parseTree(Object.entries(files).map(([path, text]) => ({ path, text })));
  return gates[name].check(tree);
}

const where = (finding: Finding | undefined): string => `${finding?.path}:${finding?.line}`;

/** Runs every plant of a gate as a test. A gate without a violation that it catches proves nothing: refused. */
export function testGate(name: GateName, plants: readonly Plant[]): void {
  describe(`gate ${name}`, () => {
    for (const plant of plants) {
      test(plant.claim, () => {
        const findings = sow(plant.files, name);
        assert.equal(findings.length, plant.finds, JSON.stringify(findings, undefined, 2));
        if (plant.at !== undefined) assert.equal(where(findings[0]), plant.at);
        for (const { path, message } of findings) assert.ok(path !== '' && message !== '');
      });
    }
    test(`${name}: a violation and an allowed form are both planted`, () => {
      assert.ok(plants.some((plant) => plant.finds > 0));
      assert.ok(plants.some((plant) => plant.finds === 0));
    });
  });
}

/** One file with one line of code, for the gates that look at a line. */
export function line(claim: string, path: string, text: string, finds = 1): Plant {
  return { claim, files: { [path]: text }, finds };
}
