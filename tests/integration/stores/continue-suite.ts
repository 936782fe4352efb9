// Owns the claims about logs that follow each other in the store, on either database.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { makeEntryId, type OrgId } from '@countersign/core/ids';
import { encodeEntry } from '@countersign/core/ledger/entry';
import { createTreeHasher } from '@countersign/core/ledger/tree';
import { verifyReceipt } from '@countersign/sdk/ledger/verify-receipt';
import { recordCall } from '@countersign/server/control/sample-calls';
import {
  query,
  type SampleOrganization,
  type SampleStore,
  textOf,
} from '@countersign/server/control/sample-organization';
import { createLogCheck } from '@countersign/server/jobs/check-logs';
import { createCommitter } from '@countersign/server/services/ledger/committer';
import { continueLog } from '@countersign/server/services/ledger/continue-log';
import { sha256, utf8, verifyEd25519 } from '@countersign/server/services/ledger/crypto';
import { closeOrphans } from '@countersign/server/services/ledger/orphans';
import { makeReceipt } from '@countersign/server/services/ledger/receipts';
import { createBuilt } from '@countersign/server/stores/built-statements';
import { listClosedLogs } from '@countersign/server/stores/closed-logs';
import { type Head, readHead } from '@countersign/server/stores/heads';
import { listRecords } from '@countersign/server/stores/records';

type Fixture = { readonly store: SampleStore; readonly made: SampleOrganization };

async function headOf(store: SampleStore, orgId: OrgId): Promise<Head> {
  const head = await readHead(store.db, orgId);
  assert.ok(head !== undefined);
  return head;
}

function opening(
  log: { readonly origin: string; readonly verifierKey: string },
  previous: string,
): Uint8Array {
  const text = encodeEntry({
    v: 1,
    id: makeEntryId(Date.now(), randomBytes(10)),
    log: log.origin,
    ts: new Date().toISOString(),
    node: 'n',
    boot: 'b',
    sv: 7,
    type: 'log_opened',
    actor: { id: 'system', kind: 'system' },
    opened: { origin: log.origin, vkey: log.verifierKey, previous },
  });
  return Buffer.from(text, 'utf8');
}

/** The same store with its log continued, as another process has it, which has signed nothing yet. */
export async function continued({ store, made }: Fixture, fail: () => void = () => {}): Promise<Fixture> {
  const { orgId } = made.owner;
  await store.projector.drain(orgId);
  const former = await headOf(store, orgId);
  const deps = {
    sealer: store.sealer,
    hasher: createTreeHasher(sha256),
    built: createBuilt(),
    locksRows: false,
  };
  await store.db.transaction().execute(async (tx) => {
    const nowMs = store.deps.now();
    const begin = (log: { readonly origin: string; readonly verifierKey: string }) => ({
      entries: [opening(log, former.checkpoint)],
      version: former.version + 1_000,
    });
    const next = {
      former,
      version: former.version + 1_000,
      archive: '/archive',
      usedNumber: 0,
      nowMs,
      begin,
    };
    await continueLog(deps, tx, orgId, next);
    fail();
  });
  const committer = createCommitter({
    db: store.db,
    locksRows: false,
    sealer: store.sealer,
    now: store.deps.now,
    onCheckpoint: () => {},
    onAltered: () => {},
  });
  return { store: { ...store, committer, deps: { ...store.deps, withLog: committer.withLog } }, made };
}

/** The receipt of each record, newest first, as `origin place`. Each must verify. */
export async function receiptsOf({ store, made }: Fixture): Promise<readonly string[]> {
  const { orgId } = made.owner;
  await store.projector.drain(orgId);
  const found: string[] = [];
  for (const row of await listRecords(store.db, orgId, { type: 'model_call' }, undefined, 1_000)) {
    const receipt = await makeReceipt(store.db, orgId, row.entry_index);
    const record = Buffer.from(receipt.entry, 'utf8');
    const verified = verifyReceipt(receipt.proof, record, { vkey: receipt.verifierKey });
    assert.ok(verified.ok, JSON.stringify(verified));
    found.push(`${verified.origin} ${verified.index}`);
  }
  return found;
}

/** Claims about a store whose log was closed and goes on in another one. */
export function continueTests(
  fixture: (context: TestContext) => Promise<Fixture>,
  skip: false | string,
): void {
  test('records of logs that follow each other stay in one order, each with a receipt of its own log', {
    skip,
  }, async (context) => {
    const first = await fixture(context);
    const { owner } = first.made;
    const { origin } = await headOf(first.store, owner.orgId);
    // Over a tile, and over blocks that describe who has records where.
    for (let n = 0; n < 300; n += 1) await recordCall(first.store, owner);
    const second = await continued(first);
    await recordCall(second.store, owner);
    const third = await continued(second);
    await recordCall(third.store, owner);
    await recordCall(third.store, owner);
    const receipts = await receiptsOf(third);
    assert.deepEqual(receipts.slice(0, 4), [
      `${origin}/3 3`,
      `${origin}/3 1`,
      `${origin}/2 1`,
      `${origin} ${1 + 2 * 299}`,
    ]);
    assert.deepEqual([receipts.length, receipts.at(-1)], [303, `${origin} 1`]);
    const own = await listRecords(
      third.store.db,
      owner.orgId,
      { actor: owner.principalId },
      undefined,
      1_000,
    );
    assert.equal(
      own.filter(({ type }) => type === 'model_call').length,
      303,
      'whoever acted is found in each',
    );
    const page = (cursor?: string) =>
      query(third.store, owner, 'record.list', {
        query: { actor: owner.principalId, limit: 2, ...(cursor === undefined ? {} : { cursor }) },
      });
    const further = await page(textOf(await page(textOf(await page(), 'next')), 'next'));
    assert.ok(JSON.stringify(further).includes(own[4]?.id ?? 'none'), 'pages go on from one log to the next');
    const closed = await listClosedLogs(third.store.db, owner.orgId);
    assert.deepEqual(
      closed.map((log) => [log.number, log.origin, log.size, log.archive]),
      [
        [1, origin, 601, '/archive'],
        [2, `${origin}/2`, 3, '/archive'],
      ],
    );
  });

  test('a closed log is checked as the current one is, and what was changed in it is found', {
    skip,
  }, async (context) => {
    const first = await fixture(context);
    const { orgId } = first.made.owner;
    const { origin } = await headOf(first.store, orgId);
    await recordCall(first.store, first.made.owner);
    const { store } = await continued(first);
    const check = createLogCheck({
      db: store.db,
      sha256,
      utf8,
      verifyEd25519,
      clock: () => performance.now(),
      rest: async () => {},
    });
    const found = async () => {
      const logs: string[] = [];
      await check.run(new AbortController().signal, async (log) => {
        if (log.orgId === orgId) logs.push(`${log.origin} ${log.size} ${log.finding?.kind}`);
      });
      return logs;
    };
    assert.deepEqual(await found(), [`${origin}/2 1 undefined`, `${origin} 3 undefined`]);
    const closed = () => store.db.selectFrom('entry_bundles').where('first_index', '<', 0);
    const row = await closed().selectAll().orderBy('first_index', 'desc').executeTakeFirstOrThrow();
    const bytes = new Uint8Array(row.bytes);
    bytes.set([(bytes.at(-2) ?? 0) ^ 1], bytes.length - 2);
    await store.db
      .updateTable('entry_bundles')
      .set({ bytes })
      .where('first_index', '=', row.first_index)
      .execute();
    assert.deepEqual(await found(), [`${origin}/2 1 undefined`, `${origin} 3 forked`]);
  });

  test('a call that was open when its log was closed gets no outcome in another log', {
    skip,
  }, async (context) => {
    const first = await fixture(context);
    const { owner } = first.made;
    const { id } = await recordCall(first.store, owner, { isOpen: true });
    const second = await continued(first);
    const { size } = await headOf(second.store, owner.orgId);
    const closed = await closeOrphans({
      ...second.store,
      newEntryId: () => makeEntryId(Date.now(), randomBytes(10)),
      now: Date.now,
      node: 'n',
      boot: 'another',
    });
    assert.equal(closed, 0);
    assert.equal((await headOf(second.store, owner.orgId)).size, size);
    const record = await query(second.store, owner, 'record.get', { params: { id } });
    assert.equal(textOf(record, 'status'), 'unknown');
  });

  test('a continuation that ends in the middle leaves the former log as it was', {
    skip,
  }, async (context) => {
    const first = await fixture(context);
    const { owner } = first.made;
    await recordCall(first.store, owner);
    const before = [await headOf(first.store, owner.orgId), await receiptsOf(first)];
    const failing = continued(first, () => {
      throw new Error('the process has died');
    });
    await assert.rejects(failing, /has died/);
    assert.deepEqual([await headOf(first.store, owner.orgId), await receiptsOf(first)], before);
    assert.deepEqual(await listClosedLogs(first.store.db, owner.orgId), []);
    await recordCall(first.store, owner);
    assert.equal((await receiptsOf(first)).length, 2);
  });
}
