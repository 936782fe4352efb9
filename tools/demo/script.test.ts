// Claims about the demo's script: it counts what does not hold, breaks lines, and paints only when told to.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createScript } from './script.ts';

test('a claim that does not hold is counted and marked', () => {
  let out = '';
  const say = createScript((text) => {
    out += text;
  }, false);
  say.step('one');
  say.claim(true, 'holds');
  say.claim(false, 'does not hold');
  assert.deepEqual(say.tally(), { claims: 2, broken: ['does not hold'] });
  assert.match(out, /\n1\. one\n {3}✓ holds\n {3}✗ NOT AS CLAIMED: does not hold\n/);
});

test('long lines break at blanks, within 100 columns, and no word is lost', () => {
  let out = '';
  const say = createScript((text) => {
    out += text;
  }, false);
  const words = Array.from({ length: 60 }, (_, i) => `word${i}`);
  say.answered(words.join(' '), 'next line');
  assert.ok(out.split('\n').every((line) => line.length <= 100));
  assert.deepEqual(out.trim().split(/\s+/), ['answered', ...words, 'next', 'line']);
});

test('colours are there when asked for, and not otherwise', () => {
  for (const isColoured of [true, false]) {
    let out = '';
    const say = createScript((text) => {
      out += text;
    }, isColoured);
    say.claim(true, 'holds');
    assert.equal(out.includes('\u001b['), isColoured);
  }
});
