// Owns the proof of each built-in detector: what it must find, and what it must leave alone.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { classifyText } from './detect.ts';
import { personalExamples } from './examples-personal.support.ts';
import { secretExamples } from './examples-secret.support.ts';
import { normalise } from './normalise.ts';

/** Findings as `label:value`, in the order of the text. */
function findings(text: string): readonly string[] {
  const { text: reading, units } = normalise(text);
  const found: (readonly [number, string])[] = [];
  classifyText(units, (label, start, end) => found.push([start, `${label}:${reading.slice(start, end)}`]));
  return found.sort((a, b) => a[0] - b[0]).map(([, finding]) => finding);
}

for (const [label, { positive, negative }] of Object.entries({ ...personalExamples, ...secretExamples })) {
  describe(label, () => {
    for (const [text, value] of positive) {
      test(`found: ${JSON.stringify(text)}`, () => {
        assert.deepEqual(findings(text), [`${label}:${value}`]);
      });
    }
    for (const text of negative) {
      test(`left alone: ${JSON.stringify(text)}`, () => {
        assert.deepEqual(
          findings(text).filter((finding) => finding.startsWith(`${label}:`)),
          [],
        );
      });
    }
    test('there are at least 8 examples of each kind', () => {
      assert.ok(positive.length >= 8 && negative.length >= 8, `${positive.length} and ${negative.length}`);
    });
  });
}
