// Tests the comparison of an exported directory with a bill, and what is said of it.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { BillError } from '@countersign/core/metering/reconcile/bill';
import { gatherBill } from '@countersign/core/metering/reconcile/gather-bill';
import { readBill } from '@countersign/core/metering/reconcile/read-bill';
import { writeExport } from '../ledger/write-export.ts';
import { origin } from '../replay/sample-changes.ts';
import { signSample } from '../replay/sample-export.ts';
import { sampleVkey } from '../replay/sample-key.ts';
import { logText, makeLog } from '../replay/sample-log.ts';
import { describeReconciliation } from './describe-reconciliation.ts';
import { type ReconcileOptions, reconcileExports } from './reconcile-export.ts';
import { sampleLogs } from './sample-logs.ts';

const log = makeLog();
const { texts } = sampleLogs;

async function exported(
  t: TestContext,
  of: readonly string[] = texts,
  name: string = origin,
): Promise<string> {
  const room = mkdtempSync(join(tmpdir(), 'reconcile-'));
  t.after(() => rmSync(room, { recursive: true, force: true }));
  const directory = join(room, 'export');
  await writeExport(directory, signSample(of, name));
  return directory;
}

function options(lines: string, more: Partial<ReconcileOptions> = {}): ReconcileOptions {
  const day = Date.UTC(2025, 10, 22);
  const pages = readBill('bill', `day,model,requests,input_tokens,output_tokens\n${lines}`);
  return {
    bill: gatherBill(pages, { fromMs: day - 86_400_000, toMs: day }),
    provider: 'inside',
    aliases: new Map(),
    tolerance: { tokenParts: 0n, requests: 0n },
    ...more,
  };
}

async function said(directory: string, given: ReconcileOptions): Promise<string> {
  const result = await reconcileExports([{ directory, against: {} }], given);
  assert.equal(result.kind, 'compared');
  return describeReconciliation(result).join('\n');
}

test('calls of one provider are compared, on whichever side of midnight it counts them', async (t) => {
  const directory = await exported(t);
  for (const day of ['2025-11-21', '2025-11-22']) {
    const text = await said(directory, options(`${day},small-1,2,24,68\n`));
    assert.match(text, /^no difference: calls to `inside` and its bill, 2025-11-21 to 2025-11-23 \(end not/);
  }
});

test('days that are each uncertain are held to the whole', async (t) => {
  const directory = await exported(t);
  const text = await said(directory, options('2025-11-21,small-1,2,24,68\n2025-11-22,small-1,2,24,68\n'));
  assert.match(text, /^DIFFERENT: /);
  assert.match(text, /^billed but not recorded: 2 requests, .* of `small-1` over the whole time: /m);
});

test('a model that the bill names otherwise is hinted at, and compared under the name that is given', async (t) => {
  const directory = await exported(t);
  const given = options('2025-11-22,small-1-2025,2,24,68\n');
  const text = await said(directory, given);
  assert.match(
    text,
    /^only the bill has `small-1-2025`, only the records have `small-1`: .*--model small-1-2025=small-1$/m,
  );
  const aliases = new Map([['small-1-2025', 'small-1']]);
  assert.match(await said(directory, { ...given, aliases }), /^no difference: /);
});

test('a provider that is not clear or not there is asked for, with those that are', async (t) => {
  const directory = await exported(t);
  const refusal = async (provider: string | undefined): Promise<string> => {
    const error: unknown = await reconcileExports(
      [{ directory, against: {} }],
      options('', { provider }),
    ).catch((e: unknown) => e);
    assert.ok(error instanceof BillError);
    return error.message;
  };
  assert.match(
    await refusal(undefined),
    /calls to `inside`, `vendor`: say whose bill it is with `--provider`/,
  );
  assert.match(await refusal('other'), /no call to the provider `other`: they have `inside`, `vendor`/);
});

test('an export that is not as it was signed is not compared', async (t) => {
  const directory = await exported(t);
  const other = await reconcileExports([{ directory, against: { vkey: 'none' } }], options(''));
  assert.equal(other.kind, 'not_verified');
});

test('a call that the export ends within may have been billed up to what it reserved', async (t) => {
  const last = texts.findIndex((text) => text.includes(`"intent":"${log.idOf('call')}"`));
  const directory = await exported(t, texts.slice(0, last));
  const text = await said(directory, options('2025-11-22,small-1,1,0,0\n'));
  assert.match(text, /^no difference beyond what cannot be told: /);
  assert.match(text, /^1 call without a usage/m);
  assert.match(text, /^the log begins at 2025-11-22T.*, after the bill does/m);
  assert.match(text, /^the export ends at 2025-11-22T.*, before the bill does/m);
});

test('of a log that continues another one it is said where the calls of before are', async (t) => {
  const next = `${origin}/2`;
  const held = signSample(texts).checkpoint;
  const entries = log.entries.map((entry, i) => {
    const opened = { origin: next, vkey: sampleVkey(next), previous: held };
    return logText({ ...entry, log: next, ...(i === 0 ? { opened } : {}) });
  });
  const text = await said(await exported(t, entries, next), options('2025-11-22,small-1,2,24,68\n'));
  assert.ok(text.includes(`not recorded in it, but in the archive of \`${origin}\`, as far as`), text);
});
