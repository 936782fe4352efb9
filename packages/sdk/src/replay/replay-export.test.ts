// Tries the replay of exported directories: honest, edited, of no organization.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isObject } from '@countersign/core/json';
import { writeExport } from '../ledger/write-export.ts';
import { describeExportReplay } from './describe-replay.ts';
import { replayExport } from './replay-export.ts';
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
