// Checks the operator's list of witnesses: what is read from it, and that what cannot be used stops the start in one sentence.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatVerifierKey, makeVerifierKey } from '@countersign/core/ledger/note';
import { loadConfig } from '../platform/config/load.ts';
import { sha256, utf8 } from '../services/ledger/crypto.ts';
import { readWitnesses } from './read-witnesses.ts';

const keyOf = (n: number, type: 'ed25519' | 'cosignature' = 'cosignature'): string =>
  formatVerifierKey(makeVerifierKey({ sha256, utf8 }, `example.com/${n}`, type, new Uint8Array(32).fill(n)));

function reading(t: TestContext, env: Readonly<Record<string, string>> = {}) {
  const room = mkdtempSync(join(tmpdir(), 'countersign-witnesses-'));
  t.after(() => rmSync(room, { recursive: true, force: true }));
  const path = join(room, 'witnesses');
  return (text: string | undefined) => {
    if (text !== undefined) writeFileSync(path, text);
    return readWitnesses(loadConfig({ COUNTERSIGN_WITNESSES: path, ...env }, () => '').config);
  };
}

test('an auditor’s policy serves as the list: names, keys, and addresses without a slash at their end', (t) => {
  const read = reading(t, { COUNTERSIGN_EGRESS_ALLOW: '10.0.0.5:8080' });
  const text = `log ${keyOf(9, 'ed25519')}\nwitness w1 ${keyOf(1)} https://w1.example/sub/\nwitness w2 ${keyOf(2)} http://10.0.0.5:8080\nquorum w1\n`;
  const witnesses = read(text);
  assert.deepEqual(
    witnesses?.list.map(({ name, url }) => [name, url]),
    [
      ['w1', 'https://w1.example/sub'],
      ['w2', 'http://10.0.0.5:8080'],
    ],
  );
  assert.equal(witnesses?.policy.quorum, 'w1');
  assert.equal(readWitnesses(loadConfig({}, () => '').config), undefined);
});

test('a list that cannot be used is refused with its line and what to do', (t) => {
  const read = reading(t);
  const setting = /`witnesses` \(COUNTERSIGN_WITNESSES\): /;
  const many = Array.from({ length: 33 }, (_, n) => `witness w${n} ${keyOf(n)} https://w.example\n`).join('');
  const cases: readonly (readonly [string | undefined, RegExp])[] = [
    [undefined, /cannot be read \(ENOENT\); check the path/],
    ['', /give at least one witness line/],
    [
      '# \nwitness w1 x https://w1.example\n',
      /line 2 of .* write witness, a name, its verifier key of type 4/,
    ],
    [`witness w1 ${keyOf(1)}\n`, /witness `w1` .* has no URL; write where it is asked/],
    [`witness w1 ${keyOf(1)} ftp://w1.example\n`, /the URL of witness `w1` .* write `https:\/\/`/],
    [`witness w1 ${keyOf(1)} https://u:p@w1.example\n`, /is no web address/],
    [`witness w1 ${keyOf(1)} https://w1.example/?a\n`, /is no web address/],
    [`witness w1 ${keyOf(1)} https://a\nwitness w2 ${keyOf(1)} https://b\n`, /line 2 .* name each key once/],
    [
      `witness w1 ${keyOf(1)} http://w1.example\n`,
      /witness `w1` in .*: `w1.example` may not be reached without TLS; use https, or list it in COUNTERSIGN_EGRESS_ALLOW/,
    ],
    [`witness w1 ${keyOf(1)} https://10.0.0.5/\n`, /`10.0.0.5` is not on the public internet; list it/],
    [many, /names 33 witnesses; name 32 at most/],
  ];
  for (const [text, why] of cases) {
    assert.throws(
      () => read(text),
      (error: unknown) => error instanceof Error && setting.test(error.message) && why.test(error.message),
      String(text),
    );
  }
});
