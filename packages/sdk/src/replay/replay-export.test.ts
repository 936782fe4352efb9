// Tries the replay of exported directories: honest, edited, of no organization.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isObject } from '@countersign/core/json';
import { bracketsOf, chainOf, deepestText } from '@countersign/core/policy/deepest-texts.support';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';
import { writeExport } from '../ledger/write-export.ts';
import { describeExportReplay } from './describe-replay.ts';
import { replayDirectory } from './replay-directory.ts';
import { replayExport } from './replay-export.ts';
import { sha256Hex } from './sample-changes.ts';
import { signSample } from './sample-export.ts';
import { logText, makeLog } from './sample-log.ts';

async function exported(t: TestContext, texts: readonly string[], name?: string): Promise<string> {
  const room = mkdtempSync(join(tmpdir(), 'replay-'));
  t.after(() => rmSync(room, { recursive: true, force: true }));
  const directory = join(room, 'export');
  await writeExport(directory, signSample(texts, name));
  return directory;
}

const texts = makeLog().entries.map(logText);

test('an export is enough to take every decision again', async (t) => {
  const result = await replayExport(await exported(t, texts));
  assert.equal(result.kind, 'replayed');
  const text = describeExportReplay(result);
  assert.match(text, /^replayed: 6 decisions taken again, no difference\n/);
  assert.match(text, /calls: 3 went ahead, 1 denied, 0 could be requested, 2 refused/);
  assert.equal(text.match(/\nshown: /g)?.length, 7);
});

test('a signed lie verifies and does not replay: the operator cannot sign a wrong decision away', async (t) => {
  const log = makeLog();
  const index = log.entries.findIndex(({ id }) => id === log.idOf('denied call'));
  const { status, err, ...lie } = log.entries[index] ?? {};
  const policy = isObject(lie.policy) ? lie.policy : {};
  const told = { ...lie, policy: { ...policy, decision: 'allow', reason: undefined } };
  const result = await replayExport(await exported(t, texts.with(index, logText(told))));
  const text = describeExportReplay(result);
  assert.match(text, /^NOT REPLAYED: 1 differences, /);
  assert.match(text, new RegExp(`entry ${index} .*: recorded \`allow\`, replayed \`deny\``));
  assert.doesNotMatch(text, /shown: each of the 6 decisions/);
});

/** The log with this text published in the place of its own. */
function published(policyText: string): readonly string[] {
  return makeLog({ policyText, partLength: 16_000 }).entries.map(logText);
}

test('a policy at every bound of publication is replayed, also on a stack of the usual size', async (t) => {
  const directory = await exported(t, published(defaultPolicyText + deepestText));
  const result = await replayDirectory(directory);
  assert.equal(result.kind, 'replayed');
  // Its permits decide beside those of the sample: the rules differ, and nothing else may.
  assert.deepEqual([...result.replay.differenceKinds.keys()], ['rules_differ']);
});

test('a chain of 3,000 terms, which was accepted before there was a bound, is replayed', async (t) => {
  const result = await replayExport(await exported(t, published(defaultPolicyText + chainOf(3_000))));
  assert.equal(result.kind, 'replayed');
  assert.deepEqual([...result.replay.differenceKinds.keys()], ['rules_differ']);
});

test('a policy that exhausts the stack or traps is a difference, and the one after it is read', async (t) => {
  const hostile = bracketsOf(20_000);
  const log = makeLog();
  const first = log.entries[1] ?? {};
  const change = Array.isArray(first.change) ? first.change : [];
  const hash = sha256Hex(hostile);
  const forged = {
    ...first,
    policy_text: hostile,
    change: change.map((one) => (one.kind === 'policy' ? { ...one, state: { ...one.state, hash } } : one)),
  };
  const result = await replayExport(await exported(t, texts.with(1, logText(forged))));
  assert.equal(result.kind, 'replayed');
  assert.deepEqual([...result.replay.differenceKinds], [['policy_unusable', 1]]);
  assert.equal(result.replay.retaken, 6);
});

test('an export that does not verify is not replayed', async (t) => {
  const directory = await exported(t, texts);
  writeFileSync(join(directory, 'tile', 'entries', '000.p', String(texts.length)), 'x');
  const text = describeExportReplay(await replayExport(directory));
  assert.match(text, /^NOT VERIFIED: /);
});

test('a log of no organization is not replayed', async (t) => {
  const result = await replayExport(await exported(t, ['{}'], 'gateway.example/other'));
  assert.deepEqual(result, { kind: 'no_organization', origin: 'gateway.example/other' });
});
