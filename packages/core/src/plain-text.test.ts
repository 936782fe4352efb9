// Claims about plain text: what could act is refused or taken out, names of every script pass.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPlainText, plainTextOf } from './plain-text.ts';

test('what acts on a terminal, breaks a line or turns text around is not plain', () => {
  for (const bad of [
    '\u0000',
    '\t',
    '\n',
    '\r',
    '\u001b[2J',
    '\u007f',
    '\u009b31m',
    '\u2028',
    '\u202e',
    '\u2066',
    '\ud800',
  ])
    assert.equal(isPlainText(`a${bad}b`), false, JSON.stringify(bad));
});

test('names of every script are plain, with the marks that join their letters', () => {
  for (const name of ["Zoë O'Hara-Łukasz", '山田 太郎', 'محمد', 'क्\u200dष', '👩‍💻 Ada', '=1+1'])
    assert.equal(isPlainText(name), true, name);
});

test('text from elsewhere loses what is not plain, and is cut between characters', () => {
  assert.equal(plainTextOf('\n=cmd\u001b[2Jx\u202e', 200), '=cmd[2Jx');
  assert.equal(plainTextOf(' \u0007 ', 200), '');
  assert.equal(plainTextOf('👩'.repeat(10), 3), '👩👩👩');
  assert.equal(plainTextOf('abcdef', 3), 'abc');
  assert.equal(isPlainText(plainTextOf('a👩'.repeat(50), 7)), true);
});
