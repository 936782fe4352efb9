// Tests the reading of figures: a child that has no good line of them has measured nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { readFigures } from './figures.ts';

const shape = z.object({ lost: z.number().int() });
const line = '{"figures":"kills","lost":2}';

test('the line is found among others, also behind the sign of a reporter', () => {
  assert.deepEqual(readFigures(`started\n${line}\nended\n`, 'kills', shape), { lost: 2 });
  assert.deepEqual(readFigures(`✔ a test\nℹ ${line}\nℹ pass 1\n`, 'kills', shape), { lost: 2 });
  assert.deepEqual(readFigures(`ok 1 - a test\n# ${line}\r\n`, 'kills', shape), { lost: 2 });
});

test('a line that is missing, doubled, cut off or of another is an error', () => {
  assert.throws(() => readFigures('✔ a test\n', 'kills', shape), /0 lines of figures of `kills`/);
  assert.throws(() => readFigures(`${line}\n${line}\n`, 'kills', shape), /2 lines/);
  assert.throws(() => readFigures(line.slice(0, -1), 'kills', shape), /cannot be read/);
  assert.throws(() => readFigures(line.replace('kills', 'killsToo'), 'kills', shape), /0 lines/);
});

test('a number that is missing or none is an error that names it', () => {
  assert.throws(() => readFigures('{"figures":"kills"}', 'kills', shape), /lost/);
  assert.throws(() => readFigures(line.replace('2', 'null'), 'kills', shape), /lost/);
  assert.throws(() => readFigures(line.replace('2', '"none"'), 'kills', shape), /lost/);
});
