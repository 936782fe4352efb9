// Tests that no cell of an entry's line is a formula to a spreadsheet, and that lines are lines to common tools.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvCopy, csvHead } from './csv.ts';
import { copied, sampleEntries } from './sample-entries.support.ts';

test('a name that begins as a formula does is text, and a line feed in a reason ends no line', () => {
  const management = sampleEntries.find(({ type }) => type === 'management') ?? assert.fail();
  assert.ok(management.type === 'management');
  const actor = { ...management.actor, id: '=cmd|x', ws: '+1', cred: '\t-2', teams: ['a;', '=1'] };
  const line = csvCopy(copied({ ...management, actor, reason: 'first\n=second, "third"' }));
  assert.ok(line.includes(",'=cmd|x,user,'+1,a;' =1,"), line);
  assert.ok(line.includes(",' -2,"), line);
  assert.ok(line.includes(',"first =second, ""third""",'), line);
  assert.ok(!line.includes('\n') && line.endsWith('"\r'));
});

test('the columns have one name each, the place and the leaf hash first, the whole entry last', () => {
  const names = csvHead.replace(/\r$/, '').split(',');
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual([names[0], names[1], names.at(-1)], ['index', 'leaf_hash', 'entry']);
});
