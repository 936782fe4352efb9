// Owns the claims about ledger, projection and sealed things at rest that hold on either database.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { makeEntryId } from '@countersign/core/ids';
import { isObject } from '@countersign/core/json';
import { parseVerifierKey } from '@countersign/core/ledger/note';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { verifyLog } from '@countersign/core/ledger/verify-log';
import { nodeVerifying } from '@countersign/sdk/ledger/node-verifying';
import { recordCall } from '@countersign/server/control/sample-calls';
import {
  command,
  make,
  makeOrganization,
  openSampleStore,
  preparedPolicy,
  query,
  type SampleOrganization,
  type SampleStore,
  textOf,
} from '@countersign/server/control/sample-organization';
import { rewrapSecrets } from '@countersign/server/jobs/rewrap-secrets';
import { createSealer } from '@countersign/server/platform/sealer/sealer';
import { closeOrphans } from '@countersign/server/services/ledger/orphans';
import { subjectKeyBinding } from '@countersign/server/services/subjects/bindings';
import { findReplay, removeOldReplays } from '@countersign/server/stores/bookkeeping';
import { readBundles } from '@countersign/server/stores/entries';
import { readHead } from '@countersign/server/stores/heads';
import { readPolicy } from '@countersign/server/stores/policies';
import { listSealed } from '@countersign/server/stores/sealed-places';
import { readSubject } from '@countersign/server/stores/secrets';
import type { MakeDatabase } from '../storage/open-suite.ts';
import { blockTests } from './block-suite.ts';
import { checkTests } from './check-suite.ts';
import { continueTests } from './continue-suite.ts';
import { cosignedTests } from './cosigned-suite.ts';
import { headTests } from './head-suite.ts';
import { packReadingTests } from './pack-reading-suite.ts';
import { packTests } from './pack-suite.ts';
import { usageTests } from './usage-suite.ts';

type Fixture = { readonly store: SampleStore; readonly made: SampleOrganization };

async function headOf({ store, made }: Fixture) {
  const head = await readHead(store.db, made.owner.orgId);
  assert.ok(head !== undefined);
  return head;
}

/** Verifies the whole log from what a reader may ask for: its checkpoint and its tiles. */
async function verify(fixture: Fixture): Promise<number> {
  const { store, made } = fixture;
  const head = await headOf(fixture);
  const key = parseVerifierKey(nodeVerifying, head.verifierKey);
  assert.ok(key !== undefined);
  const read = async (path: string): Promise<Uint8Array> => {
    const answer = await query(store, made.owner, 'ledger.tile', {
      params: { path: path.slice('tile/'.length) },
    });
    return Buffer.from(textOf(answer, 'base64'), 'base64');
  };
  const verified = await verifyLog(nodeVerifying, { key, checkpoint: head.checkpoint, read, held: [] });
  assert.ok(verified.ok, JSON.stringify(verified));
  return verified.signed.checkpoint.size;
}

const text = (n: number, origin: string): Uint8Array => Buffer.from(`{"log":"${origin}","n":${n}}`, 'utf8');

function ledgerTests(fixture: (context: TestContext) => Promise<Fixture>, skip: false | string): void {
  test('a log that grew over a tile in uneven batches verifies from its tiles', { skip }, async (context) => {
    const both = await fixture(context);
    const { store, made } = both;
    const { orgId } = made.owner;
    const { origin } = await headOf(both);
    for (const count of [1, 2, 250, 3, 256, 100]) {
      const entries = Array.from({ length: count }, (_, n) => text(n, origin));
      const versions = entries.map(() => -1);
      await store.committer.commit([
        { orgId, bundle: encodeBundle(entries), versions, sidecars: [], objects: [] },
      ]);
    }
    assert.equal(await verify(both), 613);
    const [bundle] = await readBundles(store.db, orgId, 300, 301, 1);
    assert.ok(bundle !== undefined && bundle.firstIndex <= 300 && bundle.firstIndex + bundle.count > 300);
  });

  test('an entry of an older version is not recorded, and those beside it keep their order', {
    skip,
  }, async (context) => {
    const both = await fixture(context);
    const { store, made } = both;
    const { version, size, origin } = await headOf(both);
    const entries = [0, 1, 2, 3].map((n) => text(n, origin));
    const versions = [version, version - 1, -1, version];
    const [commit] = await store.committer.commit([
      { orgId: made.owner.orgId, bundle: encodeBundle(entries), versions, sidecars: [], objects: [] },
    ]);
    assert.deepEqual(commit?.indices, [size, -1, size + 1, size + 2]);
    assert.equal(await verify(both), size + 3);
  });

  test('commits of several organizations at once all get their own places', { skip }, async (context) => {
    const { store, made } = await fixture(context);
    const other = await makeOrganization(store, 'other');
    const calls = [made, other].flatMap(({ owner }) =>
      Array.from({ length: 12 }, () => recordCall(store, owner)),
    );
    await Promise.all(calls);
    assert.equal(await verify({ store, made }), 1 + 24);
    assert.equal(await verify({ store, made: other }), 1 + 24);
  });
}

function projectionTests(fixture: (context: TestContext) => Promise<Fixture>, skip: false | string): void {
  test('a projection that is thrown away comes back the same, usage and all', { skip }, async (context) => {
    const { store, made } = await fixture(context);
    for (const labels of [[], ['email'], ['email', 'iban']])
      await recordCall(store, made.owner, { labels, costNanos: 7_000 });
    const ask = async () => [
      await query(store, made.owner, 'record.list', { query: {} }),
      await query(store, made.owner, 'usage.list', { query: { groupBy: 'model,user' } }),
    ];
    const before = await ask();
    assert.match(JSON.stringify(before), /21000/);
    await store.projector.rebuild(made.owner.orgId);
    assert.deepEqual(await ask(), before);
    const { items } = { items: [], ...(isObject(before[0]) ? before[0] : {}) };
    assert.ok(Array.isArray(items) && items.length === 4);
  });

  test('records are narrowed by whole labels, teams and cost centres, in their own case', {
    skip,
  }, async (context) => {
    const { store, made } = await fixture(context);
    const { owner, workspaceId } = made;
    const team = await make(store, owner, 'team.create', { name: 'blue', workspaceId });
    await recordCall(store, owner, { labels: ['payment_card'], teams: [team], costCentre: 'R"D 50%' });
    // Whoever calls chooses the model's name: it makes nobody a member of a team.
    await recordCall(store, owner, { labels: ['paymentxcard'], costCentre: 'r"d 50%', model: team });
    const count = async (asked: object) => {
      const page = await query(store, owner, 'record.list', { query: { type: 'model_call', ...asked } });
      return isObject(page) && Array.isArray(page.items) ? page.items.length : -1;
    };
    assert.equal(await count({}), 2);
    for (const asked of [
      { label: 'payment_card' },
      { team },
      { costCentre: 'R"D 50%' },
      { costCentre: 'r"d 50%' },
    ])
      assert.equal(await count(asked), 1, JSON.stringify(asked));
    for (const asked of [{ label: 'payment' }, { team: 'team' }, { costCentre: '%' }])
      assert.equal(await count(asked), 0, JSON.stringify(asked));
  });

  test('an intent that a crash left open is closed once, as unknown', { skip }, async (context) => {
    const both = await fixture(context);
    const { store, made } = both;
    await recordCall(store, made.owner, { isOpen: true });
    await recordCall(store, made.owner);
    const newEntryId = () => makeEntryId(store.deps.now(), new Uint8Array(randomBytes(10)));
    const close = () => closeOrphans({ ...store, ...store.deps, newEntryId, boot: 'boot-2' });
    assert.equal(await close(), 1);
    assert.equal(await close(), 0);
    const list = await query(store, made.owner, 'record.list', { query: {} });
    assert.match(JSON.stringify(list), /"unknown"/);
    assert.equal(await verify(both), 1 + 1 + 2 + 1);
  });
}

function sealedTests(fixture: (context: TestContext) => Promise<Fixture>, skip: false | string): void {
  test('after a rotation every sealed secret opens with the new master key alone', {
    skip,
  }, async (context) => {
    const { store, made } = await fixture(context);
    const { orgId, principalId } = made.owner;
    const next = createSealer([{ id: 'next', key: new Uint8Array(32).fill(9) }]);
    const both = createSealer([{ id: 'next', key: new Uint8Array(32).fill(9) }, store.masterKey]);
    const subject = await readSubject(store.db, orgId, principalId);
    assert.ok(subject?.sealedKey != null);
    const before = store.sealer.open(subject.sealedKey, subjectKeyBinding(orgId, principalId));
    assert.ok((await rewrapSecrets(store.db, both)) >= 2);
    assert.equal(await rewrapSecrets(store.db, both), 0);
    for (const kind of ['log_key', 'subject_key'] as const) {
      const places = await listSealed(store.db, kind, undefined, 100);
      assert.ok(places.length > 0 && places.every(({ sealed }) => next.isCurrent(sealed)), kind);
    }
    const rotated = await readSubject(store.db, orgId, principalId);
    assert.ok(rotated?.sealedKey != null);
    assert.deepEqual(next.open(rotated.sealedKey, subjectKeyBinding(orgId, principalId)), before);
  });

  test('a repeated write is answered once more until its day is over', { skip }, async (context) => {
    const { store, made } = await fixture(context);
    const { owner } = made;
    const asked = { body: { name: 'second' }, idempotencyKey: 'once' };
    const first = await command(store, owner, 'workspace.create', asked);
    const again = await command(store, owner, 'workspace.create', asked);
    assert.equal(textOf(again, 'id'), textOf(first, 'id'));
    await store.db.transaction().execute(async (tx) => {
      const find = () => findReplay(tx, owner.orgId, owner.principalId, 'once');
      await removeOldReplays(tx, store.clock.nowMs - 60_000);
      assert.ok((await find()) !== undefined);
      await removeOldReplays(tx, store.clock.nowMs + 1);
      assert.equal(await find(), undefined);
    });
  });

  test('a policy of any length comes back as it was, and two of one name clash', {
    skip,
  }, async (context) => {
    const { store, made } = await fixture(context);
    const long = `permit (principal, action, resource); // ${'ä€😀'.repeat(5_000)}`;
    const prepared = preparedPolicy(long);
    const published = await command(store, made.owner, 'policy.publish', { body: { text: long }, prepared });
    assert.ok(isObject(published) && typeof published.version === 'number');
    const kept = await readPolicy(store.db, made.owner.orgId, published.version);
    assert.equal(kept?.text, long);
    await make(store, made.owner, 'workspace.create', { name: 'twin' });
    await assert.rejects(make(store, made.owner, 'workspace.create', { name: 'twin' }), {
      code: 'already_exists',
    });
  });
}

/** Runs the claims on one database. */
export function storeSuite(name: string, makeDatabase: MakeDatabase, skip: false | string = false): void {
  const fixture = async (context: TestContext): Promise<Fixture> => {
    const store = await openSampleStore(context, await makeDatabase(context));
    return { store, made: await makeOrganization(store, 'acme') };
  };
  describe(`stores on ${name}`, () => {
    ledgerTests(fixture, skip);
    projectionTests(fixture, skip);
    blockTests(fixture, skip);
    checkTests(fixture, skip);
    continueTests(fixture, skip);
    headTests(fixture, skip);
    packTests(fixture, skip);
    packReadingTests(fixture, skip);
    usageTests(makeDatabase, skip);
    cosignedTests(fixture, skip);
    sealedTests(fixture, skip);
  });
}
