// Tests that a bag holds what a Set would, and lets go of what was taken out.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { createBag } from './bag.ts';

test('a bag holds exactly what was added and not removed', () => {
  const step = fc.record({ adds: fc.boolean(), which: fc.nat({ max: 9 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const things = Array.from({ length: 10 }, () => ({ slot: -1 }));
      const bag = createBag<{ slot: number }>();
      const model = new Set<{ slot: number }>();
      for (const { adds, which } of steps) {
        const thing = things[which] ?? { slot: -1 };
        if (adds) {
          bag.add(thing);
          model.add(thing);
        } else assert.equal(bag.remove(thing), model.delete(thing));
        assert.equal(bag.size(), model.size);
        assert.deepEqual(new Set(bag.items()), model);
      }
    }),
    { numRuns: 300 },
  );
});

test('two bags do not take each other’s things out', () => {
  const thing = { slot: -1 };
  const one = createBag<{ slot: number }>();
  const other = createBag<{ slot: number }>();
  one.add(thing);
  other.add({ slot: -1 });
  assert.equal(other.remove(thing), false);
  assert.equal(one.remove(thing), true);
});

/** Grown by what comes and goes, with a past that has grown old, without a full collection; in bytes. */
function survivors(make: string): number {
  const source = `
    import { createBag } from ${JSON.stringify(import.meta.resolve('./bag.ts'))};
    ${make}
    for (let i = 0; i < 4; i += 1) { add({ slot: -1 }); gc({ type: 'minor' }); gc({ type: 'minor' }); }
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let round = 0; round < 20; round += 1) {
      for (let i = 0; i < 2_000; i += 1) {
        const item = { slot: -1, text: new Array(64).fill(i) };
        add(item);
        remove(item);
      }
      gc({ type: 'minor' });
    }
    gc({ type: 'minor' });
    console.log(process.memoryUsage().heapUsed - before);
  `;
  const child = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', source]);
  return Number(child.stdout.toString());
}

test('what has come and gone is collected with the young, which a Set does not let it be', () => {
  const bag = survivors('const { add, remove } = createBag();');
  const set = survivors(
    'const s = new Set(); const add = (x) => s.add(x); const remove = (x) => s.delete(x);',
  );
  assert.ok(bag < 2_000_000, `a bag kept ${bag} bytes`);
  assert.ok(set > 5 * bag, `a Set kept ${set} bytes: if it no longer does, the bag is not needed`);
});
