// Tests that no policy file makes fewer witnesses agree than it seems to: none counts twice, and none is not enough.

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { parseLogPolicy, parseWitnessList, quorumMet } from './log-policy.ts';
import { formatVerifierKey, makeVerifierKey } from './note.ts';

const deps = {
  sha256: (data: Uint8Array) => hash('sha256', data, 'buffer'),
  utf8: (text: string) => Buffer.from(text),
};

const vkey = (byte: number, name: string, type: 'ed25519' | 'cosignature') =>
  formatVerifierKey(makeVerifierKey(deps, name, type, new Uint8Array(32).fill(byte)));

const log = `log ${vkey(1, 'gw.example/org', 'ed25519')}`;
const a = `witness a ${vkey(2, 'w.example/a', 'cosignature')}`;
const b = `witness b ${vkey(3, 'w.example/b', 'cosignature')}`;
const read = (...lines: readonly string[]) => parseLogPolicy(deps, lines.join('\n'));

/** The line that is refused; undefined where the file is read. */
const refusedAt = (...lines: readonly string[]) => {
  const result = read(...lines);
  return result.ok ? undefined : result.line;
};

test('one key is one witness, under whatever name it stands', () => {
  assert.equal(refusedAt(log, a, b, 'group g all a b', 'quorum g'), undefined);
  const twins = [
    `witness b ${vkey(2, 'w.example/a', 'cosignature')}`,
    `witness b ${vkey(2, 'w.example/other', 'cosignature')}`,
  ];
  for (const twin of twins) {
    assert.equal(refusedAt(log, a, twin, 'group g all a b', 'quorum g'), 3);
    assert.equal(parseWitnessList(deps, [a, twin].join('\n')).ok, false);
  }
});

test('a member counts once in its group', () => {
  assert.equal(refusedAt(log, a, b, 'group g 2 a a b', 'quorum g'), 4);
});

test('a group needs at least one of its members and at most all of them', () => {
  const group = (count: string) => refusedAt(log, a, b, `group g ${count} a b`, 'quorum g');
  for (const count of ['1', '2', 'any', 'all']) assert.equal(group(count), undefined, count);
  for (const count of ['0', '-1', '3', '1.5', '01', 'none']) assert.equal(group(count), 4, count);
});

test('a quorum is met by as many witnesses as its group asks for, and by no stranger', () => {
  for (const [count, enough] of [
    ['1', [false, true, true]],
    ['2', [false, false, true]],
  ] as const) {
    const result = read(log, a, b, `group g ${count} a b`, 'quorum g');
    assert.ok(result.ok);
    const met = [
      ['c', 'g'],
      ['a', 'c'],
      ['a', 'b'],
    ].map((names) => quorumMet(result.policy, new Set(names)));
    assert.deepEqual(met, enough, count);
  }
});

test('a file names one quorum and a log; a list of witnesses may do without both, and not without a witness', () => {
  assert.equal(refusedAt(log, a), 2);
  assert.equal(refusedAt(log, a, 'quorum a', 'quorum none'), 4);
  assert.equal(refusedAt(a, 'quorum a'), 2);
  assert.ok(parseWitnessList(deps, a).ok);
  assert.equal(parseWitnessList(deps, log).ok, false);
  assert.equal(parseWitnessList(deps, [a, 'quorum a', 'quorum a'].join('\n')).ok, false);
});
