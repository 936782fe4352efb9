// Tests the comparison of several logs of one organization with one bill: each call once, and what is missing said.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gatherBill } from '@countersign/core/metering/reconcile/gather-bill';
import { readBill } from '@countersign/core/metering/reconcile/read-bill';
import { writeExport } from '../ledger/write-export.ts';
import { signSample } from '../replay/sample-export.ts';
import { describeReconciliation } from './describe-reconciliation.ts';
import { type ExportReconciliation, reconcileExports } from './reconcile-export.ts';
import { sampleLogs } from './sample-logs.ts';

const { origin, next, texts } = sampleLogs;
const whole = signSample(texts);

type Sample = { readonly name: string; readonly texts: readonly string[]; readonly origin?: string };

/** Exports of these logs, compared in this order with a bill of so many calls to `inside`. */
async function compared(
  t: TestContext,
  calls: number,
  samples: readonly Sample[],
): Promise<ExportReconciliation> {
  const room = mkdtempSync(join(tmpdir(), 'logs-'));
  t.after(() => rmSync(room, { recursive: true, force: true }));
  const folders = samples.map(({ name }) => ({ directory: join(room, name), against: {} }));
  for (const sample of samples)
    await writeExport(join(room, sample.name), signSample(sample.texts, sample.origin));
  const line = `2025-11-22,small-1,${calls},${12 * calls},${34 * calls}\n`;
  const pages = readBill('bill', `day,model,requests,input_tokens,output_tokens\n${line}`);
  // The sample's calls are a minute from midnight.
  const day = Date.UTC(2025, 10, 22);
  return reconcileExports(folders, {
    bill: gatherBill(pages, { fromMs: day - 86_400_000, toMs: day }),
    provider: 'inside',
    aliases: new Map(),
    tolerance: { tokenParts: 0n, requests: 0n },
  });
}

async function said(t: TestContext, calls: number, samples: readonly Sample[]): Promise<string> {
  const result = await compared(t, calls, samples);
  assert.equal(result.kind, 'compared');
  return describeReconciliation(result).join('\n');
}

test('the day of a restore lies in two logs, which agree with the bill together and not apart', async (t) => {
  const archive = { name: 'archive', texts };
  const later = { name: 'later', texts: sampleLogs.continuing(whole.checkpoint), origin: next };
  for (const samples of [
    [archive, later],
    [later, archive],
  ])
    assert.match(await said(t, 4, samples), /^no difference: calls to `inside`/);
  assert.match(await said(t, 4, [archive]), /^DIFFERENT: .*\nbilled but not recorded: 2 requests/);
  const apart = await said(t, 4, [later]);
  assert.match(apart, /^DIFFERENT: .*\nbilled but not recorded: 2 requests/);
  assert.ok(
    apart.includes(`in the archive of \`${origin}\`, as far as that was not lost: give that folder too`),
  );
  assert.doesNotMatch(await said(t, 4, [archive, later]), /give that folder too/);
});

test('an export that another one of its log begins with adds nothing', async (t) => {
  const samples = [
    { name: 'early', texts: texts.slice(0, 12) },
    { name: 'late', texts },
    { name: 'copied', texts },
  ];
  const text = await said(t, 2, samples);
  assert.match(text, /^no difference: /);
  assert.match(
    text,
    /early` and `[^`]+late` are of one log: the 12 entries of the smaller are in the larger/,
  );
  assert.match(text, /copied` and `[^`]+late` are of one log: the 19 entries of the smaller/);
});

test('of two exports of a log that part, what both have counts once, and a call that both closed as it is known best', async (t) => {
  for (const more of [0, 4]) {
    const samples = [
      { name: 'lost', texts },
      { name: 'restored', texts: sampleLogs.restored(more) },
    ];
    const text = await said(t, 3, samples);
    assert.match(text, /^no difference: /, text);
    assert.match(text, /have the first 15 entries in common: these are counted once, and what either has/);
    assert.match(await said(t, 2, samples), /^DIFFERENT: .*\nrecorded but not billed: 1 request, 12 input/);
  }
});

test('entries that were lost before a log went on are counted, and the export that has them closes the gap', async (t) => {
  const archive = { name: 'archive', texts: texts.slice(0, 12) };
  const later = { name: 'later', texts: sampleLogs.continuing(whole.checkpoint), origin: next };
  const text = await said(t, 4, [archive, later]);
  assert.match(text, /^DIFFERENT: .*\nbilled but not recorded: 1 request, 12 input tokens/);
  assert.ok(
    text.includes(`\`${origin}\` had 19 entries, and 7 of them were lost before it went on as \`${next}\``),
  );
  const closed = await said(t, 4, [archive, later, { name: 'before', texts }]);
  assert.match(closed, /^no difference: /);
  assert.doesNotMatch(closed, /were lost/);
});

test('a log in between of which no folder was given is named', async (t) => {
  const third = `${origin}/3`;
  const second = signSample(sampleLogs.continuing(whole.checkpoint), next).checkpoint;
  const samples = [
    { name: 'archive', texts },
    { name: 'later', texts: sampleLogs.continuing(second), origin: third },
  ];
  const text = await said(t, 4, samples);
  assert.ok(text.includes(`\`${third}\` continues \`${next}\`, of which no folder was given`), text);
});

test('logs of several organizations are not compared together, on whatever host', async (t) => {
  for (const other of [
    'gw.example/org_other',
    'other.example/org_other',
    origin.replace(/^[^/]+/, 'other.example'),
  ]) {
    const result = await compared(t, 4, [
      { name: 'one', texts },
      { name: 'other', texts, origin: other },
    ]);
    assert.equal(result.kind, 'several_owners');
    assert.deepEqual(
      result.folders.map((folder) => folder.origin),
      [origin, other],
    );
  }
});

test('one log that does not verify leaves nothing compared, and is named', async (t) => {
  const room = mkdtempSync(join(tmpdir(), 'logs-'));
  t.after(() => rmSync(room, { recursive: true, force: true }));
  const result = await compared(t, 2, [{ name: 'whole', texts }]);
  assert.equal(result.kind, 'compared');
  const [good] = result.logs;
  const bad = join(room, 'bad');
  await writeExport(bad, signSample(sampleLogs.continuing(whole.checkpoint), next));
  const folders = [
    { directory: good?.directory ?? '', against: {} },
    { directory: bad, against: { vkey: whole.vkey } },
  ];
  const { bill } = result;
  const options = {
    bill,
    provider: 'inside',
    aliases: new Map(),
    tolerance: { tokenParts: 0n, requests: 0n },
  };
  const refused = await reconcileExports(folders, options);
  assert.deepEqual(refused, {
    kind: 'not_verified',
    directory: bad,
    finding: { kind: 'origin_differs', file: 'checkpoint' },
  });
});
