// Claims about credentials that are refused: counted in the installation's log, once a second, whoever floods.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import { decodeEntry, type Entry } from '@countersign/core/ledger/entry';
import { verifyDirectory } from '@countersign/sdk/ledger/verify-directory';
import { writeExport } from '@countersign/sdk/ledger/write-export';
import { startGateway, type TestGateway } from '../../support/gateway.ts';
import { entriesOnDisk } from '../../support/ledger-on-disk.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
});
after(async () => {
  await running.stop();
});

type Refused = Extract<Entry, { readonly type: 'refused_credentials' }>['refused'];

/** Every aggregate of the installation's log. */
function aggregates(): readonly Refused[] {
  const { installationId } = running.server.store.threads.installation;
  return entriesOnDisk(running, installationId).flatMap((entry) => {
    const decoded = decodeEntry(canonicalJson(entry));
    return decoded.ok && decoded.entry.type === 'refused_credentials' ? [decoded.entry.refused] : [];
  });
}

const totalOf = (all: readonly Refused[]): number => all.reduce((sum, { total }) => sum + total, 0);

function reasonsOf(all: readonly Refused[]): ReadonlyMap<string, number> {
  const reasons = new Map<string, number>();
  for (const { reason, count } of all.flatMap(({ sources }) => sources))
    reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  return reasons;
}

/** The aggregates that follow from what `work` sends, once `expected` refusals are in them. */
async function aggregatesAfter(expected: number, work: () => Promise<void>): Promise<readonly Refused[]> {
  const before = aggregates();
  await work();
  const end = performance.now() + 5_000;
  for (;;) {
    const since = aggregates().slice(before.length);
    if (totalOf(since) >= expected || performance.now() > end) return since;
    await sleep(50);
  }
}

test('every way to be refused for a credential is counted by its reason, on every face', async () => {
  const [first = '', secret = ''] = running.modelsKey.split(/_(?=[^_]+_[^_]+$)/);
  const wrongSecret = `${first}_${secret.replace(/^./, (letter) => (letter === 'A' ? 'B' : 'A'))}`;
  const { key: expiring, id } = await running.keyFor({ principalId: running.ownerId });
  await running.must('POST', `/keys/${id}/revoke`, {});
  const body = { model: 'm', messages: [] };
  const all = await aggregatesAfter(8, async () => {
    assert.equal((await running.call({ key: undefined, body })).status, 401);
    assert.equal((await running.call({ key: wrongSecret, body })).status, 401);
    assert.equal((await running.call({ key: 'csk_nonsense', body })).status, 401);
    assert.equal((await running.call({ key: 'e.y.j', body })).status, 401);
    assert.equal((await running.call({ key: expiring, body })).status, 401);
    assert.equal((await running.call({ key: running.managementKey, body })).status, 401);
    assert.equal((await running.api('GET', '/keys', undefined, running.modelsKey)).status, 401);
    const two = ['x-api-key', running.managementKey];
    assert.equal((await running.call({ key: running.modelsKey, headers: two, body })).status, 400);
  });
  assert.equal(totalOf(all), 8);
  assert.deepEqual(Object.fromEntries([...reasonsOf(all)].sort()), {
    conflict: 1,
    key_revoked: 1,
    malformed_key: 1,
    none: 1,
    token_refused: 1,
    unknown_key: 1,
    wrong_use: 2,
  });
});

test('a flood of refused credentials makes an entry a second, and none in the log of an organization', async () => {
  const size = async () => at(await running.must('GET', '/ledger/checkpoint'), 'checkpoint');
  const before = await size();
  const started = performance.now();
  const all = await aggregatesAfter(600, async () => {
    for (let round = 0; round < 30; round += 1) {
      const calls = Array.from({ length: 20 }, () => running.call({ key: 'csk_nonsense', body: {} }));
      for (const answer of await Promise.all(calls)) assert.equal(answer.status, 401);
    }
  });
  assert.equal(totalOf(all), 600);
  assert.ok(all.length <= Math.ceil((performance.now() - started) / 1_000) + 1, `${all.length} entries`);
  assert.equal(await size(), before);
  const { sources } = all[0] ?? { sources: [] };
  assert.equal(sources.length, 1);
  assert.match(sources[0]?.source ?? '', /^[0-9a-f]{32}$/);
});

test("an auditor reads and verifies the installation's own log, and who may not read the ledger does not", async (t) => {
  assert.equal((await running.call({ key: 'csk_nonsense', body: {} })).status, 401);
  const { key } = await running.keyFor({ principalId: (await running.person('mel')).id, use: 'management' });
  const asked = '/ledger/checkpoint?log=installation';
  assert.equal((await running.api('GET', asked, undefined, key)).status, 403);
  const directory = mkdtempSync(join(tmpdir(), 'countersign-installation-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  let found = '';
  for (let tries = 0; !found.includes('"type":"refused_credentials"') && tries < 50; tries += 1) {
    await sleep(100);
    const head = await running.must('GET', asked);
    const checkpoint = textAt(head, 'checkpoint');
    const size = Number(checkpoint.split('\n')[1]);
    const width = size % 256;
    const bundles = [...Array(Math.ceil(size / 256)).keys()].map(async (i) => {
      const part = i === Math.floor(size / 256) ? `.p/${width}` : '';
      const path = `entries/${String(i).padStart(3, '0')}${part}`;
      return Buffer.from(
        textAt(await running.must('GET', `/ledger/tile/${path}?log=installation`), 'base64'),
        'base64',
      );
    });
    const vkey = textAt(head, 'verifierKey');
    await writeExport(directory, { vkey, checkpoint, bundles: Readable.from(await Promise.all(bundles)) });
    found = readFileSync(join(directory, 'entries.jsonl'), 'utf8');
    const verified = await verifyDirectory(directory, { vkey });
    assert.ok(verified.ok, JSON.stringify(verified));
  }
  assert.match(found, /"type":"refused_credentials"/);
  assert.doesNotMatch(found, /127\.0\.0\.1/);
});
