// Tries `ledger verify` with a receipt that is held to more than a key: a policy, and witnesses.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { signSample } from '@countersign/sdk/replay/sample-export';
import { logText, makeLog } from '@countersign/sdk/replay/sample-log';
import { runCli } from './run-cli.ts';

const vectors = new URL('../../../tests/vectors/log-1000/', import.meta.url);
const signed = signSample(makeLog().entries.map(logText));

test('a receipt is held to a policy, and a witness that did not cosign is not passed over', async (t) => {
  const room = mkdtempSync(join(tmpdir(), 'cli-'));
  t.after(() => rmSync(room, { recursive: true, force: true }));
  const [receipt, policy] = [join(room, 'call.tlog-proof'), join(room, 'policy')];
  writeFileSync(receipt, signed.receipt(3));
  writeFileSync(join(room, 'call.entry.json'), signed.entries[3] ?? '');
  const verify = (...flags: string[]) => runCli(['ledger', 'verify', receipt, ...flags], {});
  assert.equal((await verify()).code, 2);
  writeFileSync(policy, `log ${signed.vkey}\nquorum none\n`);
  const held = await verify('--policy', policy);
  assert.equal(held.code, 0, held.err);
  assert.match(held.out, /^verified: the record is entry 3 of /);
  assert.doesNotMatch(held.out, /lay beside the receipt/);
  const witness = readFileSync(new URL('witness.vkey', vectors), 'utf8').trim();
  const missed = await verify('--policy', policy, '--witness', witness);
  assert.equal(missed.code, 1);
  assert.match(missed.out, /^NOT VERIFIED: a witness that was asked for has not cosigned: witness.example/);
});
