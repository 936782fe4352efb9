// Owns the claims about a caller's own words in the record: tokens stay, whatever may be about a person does not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainModel, plainModels, plainTag, plainWord } from './plain-words.ts';

const commit = (text: string): string => `<${text}>`;

test('a short token in which nothing is found stays as it is', () => {
  const id = '0199b1de-0000-7000-8000-123456789012';
  for (const word of ['review', 'team-red', 'größe', 'a.b/c:d_e', '42', id, 'x'.repeat(128)])
    assert.equal(plainWord(word, commit), word);
  for (const tag of ['team=red', 'batch', 'version=1.2.3', 'cost-centre=cc-100', `session=${id}`, 'empty='])
    assert.equal(plainTag(tag, commit), tag);
});

test('whatever is no token, or what a detector finds, is a commitment', () => {
  const found = ['person@example.com', '4111111111111111', 'DE89370400440532013000', '+41446681800'];
  for (const word of ['Alice Example', '', 'x'.repeat(129), 'a\u0000b', ...found]) {
    assert.equal(plainWord(word, commit), commit(word));
    if (word !== '') assert.equal(plainTag(`mail=${word}`, commit), `mail=${commit(word)}`);
  }
  assert.equal(plainTag('mail=a=person@example.com', commit), 'mail=<a=person@example.com>');
  assert.equal(plainTag('person@example.com=yes', commit), '<person@example.com>=<yes>');
  assert.equal(plainTag('=Alice Example', commit), '<=Alice Example>');
});

test('a name that models have here stays, one that says something else does not', () => {
  for (const name of ['gpt-5', 'vendor/large-1:free', 'claude@20240620', 'ft:small:acme::abc123'])
    assert.equal(plainModel(name, commit), name);
  for (const name of ['person@example.com', 'Alice Example', 'what is 2+2?', '4111111111111111'])
    assert.equal(plainModel(name, commit), commit(name));
  assert.deepEqual(plainModels(['b', 'Alice Example'], commit), ['<Alice Example>', 'b']);
});
