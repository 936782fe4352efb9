// Owns the proof that scanning is linear: steps are counted, not timed, on texts made to be slow.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { classifyText } from './detect.ts';
import { type Normal, normalise } from './normalise.ts';
import { hostileFamilies, realisticTexts, sized } from './sample-texts.bench.ts';

/** How many characters the scanner looks at, repeats included. */
function steps({ units }: Normal): number {
  let count = 0;
  const counted = new Proxy(units, {
    get: (target, name) => {
      if (typeof name !== 'string' || name === 'length') return target.length;
      count += 1;
      return target[Number(name)];
    },
  });
  classifyText(counted, () => undefined);
  return count;
}

for (const [name, seed] of Object.entries({ ...realisticTexts, ...hostileFamilies })) {
  test(`twice the text takes at most twice the steps: ${name}`, () => {
    const small = steps(normalise(sized(seed, 20_000)));
    const large = steps(normalise(sized(seed, 40_000)));
    assert.ok(large <= small * 2.1 + 2000, `${small} then ${large}`);
  });

  test(`at most 24 steps a character: ${name}`, () => {
    assert.ok(steps(normalise(sized(seed, 40_000))) <= 24 * 40_000);
  });
}

const fragment = fc.constantFrom(
  ...[
    '1',
    ' ',
    '-',
    '.',
    '@',
    ':',
    '//',
    'a',
    'F',
    '+',
    '(',
    ')',
    '\n',
    '\\n',
    'eyJ',
    'sk-',
    '_',
    'GB00',
    'DOB ',
  ],
  ...[
    'phone ',
    'ssn ',
    '4111 ',
    '1980-01-02',
    'March ',
    'BEGIN ',
    '-----',
    'PRIVATE KEY',
    'CONFIDENTIAL',
    'CUI//',
  ],
  ...['api_key=', 'bearer ', '://', 'of ', '12 ', 'a1:', '::', '255.'],
);

test('no mixture of a few fragments, repeated, takes more than 48 steps a character', () => {
  fc.assert(
    fc.property(fc.array(fragment, { minLength: 1, maxLength: 8 }), (fragments) => {
      const text = sized(fragments.join(''), 3000);
      const count = steps(normalise(text));
      assert.ok(count <= 48 * text.length, `${count / text.length} steps a character`);
    }),
    { numRuns: 400 },
  );
});
