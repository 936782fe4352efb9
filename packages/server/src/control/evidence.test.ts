// Owns the claims about evidence: records, receipts, tiles, usage, pages, sealed content, simulation.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parseVerifierKey } from '@countersign/core/ledger/note';
import { hashTiles, tilePath, tilesOf } from '@countersign/core/ledger/tile';
import { verifyTlogProof } from '@countersign/core/ledger/tlog-proof';
import { createTreeHasher } from '@countersign/core/ledger/tree';
import { sha256, utf8, verifyEd25519 } from '../services/ledger/crypto.ts';
import { readEntries } from '../services/ledger/read-tiles.ts';
import { readHead } from '../stores/heads.ts';
import { recordCall } from './sample-calls.ts';
import {
  type Asker,
  command,
  make,
  makeOrganization,
  makePerson,
  openSampleStore,
  preparedPolicy,
  query,
  textOf,
} from './sample-organization.ts';

async function open(context: TestContext) {
  const store = await openSampleStore(context);
  const { owner, workspaceId } = await makeOrganization(store, 'acme');
  const ask = (by: Asker, operation: string, asked: unknown = {}) =>
    query(store, by, operation, { query: asked });
  return { store, owner, workspaceId, ask };
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([n]) => n === name)?.[1]
    : undefined;
}

function itemsOf(page: unknown): readonly unknown[] {
  const items = memberOf(page, 'items');
  assert.ok(Array.isArray(items));
  return items;
}

test('a record shows its call, its entries as they are hashed, and names to whom may read them', async (context) => {
  const { store, owner, workspaceId } = await open(context);
  const member = await makePerson(store, owner, 'member', 'member', workspaceId);
  const outsider = await makePerson(store, owner, 'outsider', 'member', workspaceId);
  const intent = await recordCall(store, member, { labels: ['email'], costNanos: 42 });
  const params = { id: intent.req };
  const record = await query(store, owner, 'record.get', { params });
  assert.equal(textOf(record, 'id'), intent.id);
  assert.deepEqual(memberOf(record, 'labels'), ['email']);
  assert.equal(memberOf(memberOf(record, 'usage'), 'costNanos'), 42);
  assert.equal(memberOf(memberOf(record, 'actor'), 'name'), 'member');
  assert.equal(textOf(record, 'workspaceName'), 'default');
  const entries = memberOf(record, 'entries');
  assert.ok(Array.isArray(entries) && entries.length === 2);
  const hasher = createTreeHasher(sha256);
  for (const entry of entries) {
    const leaf = hasher.leaf(Buffer.from(textOf(entry, 'text'), 'utf8'));
    assert.equal(textOf(entry, 'leafHash'), Buffer.from(leaf).toString('hex'));
  }
  const own = await query(store, member, 'record.get', { params });
  assert.equal(memberOf(memberOf(own, 'actor'), 'name'), 'member');
  await assert.rejects(query(store, outsider, 'record.get', { params }), {
    code: 'not_found',
    message: `there is no record \`${params.id}\`: \`records\` lists those that you may see`,
  });
});

test('without `records.read` one lists only what one did, whatever one asks for', async (context) => {
  const { store, owner, workspaceId, ask } = await open(context);
  const alice = await makePerson(store, owner, 'alice', 'member', workspaceId);
  const bob = await makePerson(store, owner, 'bob', 'member', workspaceId);
  const mine = await recordCall(store, alice);
  await recordCall(store, bob);
  const listed = itemsOf(await ask(alice, 'record.list'));
  assert.deepEqual(
    listed.map((item) => textOf(item, 'id')),
    [mine.id],
  );
  assert.deepEqual(itemsOf(await ask(alice, 'record.list', { actor: bob.principalId })), []);
  assert.equal(itemsOf(await ask(owner, 'record.list', { type: 'model_call' })).length, 2);
  // An empty list would say that nobody of that name asked anything.
  for (const asked of [{ actor: 'alice@example.com' }, { workspace: 'default' }, { application: 'webapp' }])
    await assert.rejects(ask(owner, 'record.list', asked), { code: 'invalid_request' });
  assert.ok(itemsOf(await ask(owner, 'record.list', { actor: 'system' })).length > 0);
});

test('pages join without gap or repetition, and a cursor of another list is refused', async (context) => {
  const { store, owner, ask } = await open(context);
  for (let i = 0; i < 7; i += 1) await make(store, owner, 'workspace.create', { name: `w${i}` });
  for (const operation of ['workspace.list', 'record.list']) {
    const whole = itemsOf(await ask(owner, operation, { limit: '200' })).map((item) => textOf(item, 'id'));
    const joined: string[] = [];
    let cursor: unknown;
    do {
      const asked = cursor === undefined ? { limit: '3' } : { limit: '3', cursor };
      const page: unknown = await ask(owner, operation, asked);
      joined.push(...itemsOf(page).map((item) => textOf(item, 'id')));
      cursor = memberOf(page, 'next');
    } while (cursor !== undefined);
    assert.deepEqual(joined, whole);
    assert.ok(joined.length >= 8);
  }
  const next = memberOf(await ask(owner, 'workspace.list', { limit: '1' }), 'next');
  for (const cursor of [next, 'x', '', 'ws_0.0000000000'])
    await assert.rejects(ask(owner, 'record.list', { cursor }), { code: 'invalid_request' });
});

test('a receipt verifies offline with the key alone, for old and new entries of a grown log', async (context) => {
  const { store, owner } = await open(context);
  const first = await recordCall(store, owner);
  for (let i = 0; i < 140; i += 1) await recordCall(store, owner);
  const last = await recordCall(store, owner);
  for (const { id } of [first, last]) {
    const receipt = await query(store, owner, 'record.proof', { params: { id } });
    const key = parseVerifierKey({ sha256, utf8 }, textOf(receipt, 'verifierKey'));
    assert.ok(key !== undefined);
    const entry = textOf(receipt, 'entry');
    assert.ok(entry.includes(id));
    const deps = { sha256, utf8, verifyEd25519 };
    const proof = textOf(receipt, 'proof');
    assert.equal(verifyTlogProof(deps, proof, utf8(entry), key).ok, true);
    assert.equal(verifyTlogProof(deps, proof, utf8(`${entry} `), key).ok, false);
  }
});

test('every tile of the tree is served as a stranger would compute it, and none that is not', async (context) => {
  const { store, owner } = await open(context);
  for (let i = 0; i < 135; i += 1) await recordCall(store, owner);
  const size = (await readHead(store.db, owner.orgId))?.size ?? 0;
  assert.ok(size > 256);
  const hasher = createTreeHasher(sha256);
  const entries = await readEntries(store.db, owner.orgId, 0, size);
  const expected = new Map(
    hashTiles(
      hasher,
      entries.map((entry) => hasher.leaf(entry)),
    ),
  );
  const tile = async (path: string) =>
    Buffer.from(
      textOf(
        await query(store, owner, 'ledger.tile', { params: { path: path.slice('tile/'.length) } }),
        'base64',
      ),
      'base64',
    );
  for (const at of tilesOf(size)) {
    const path = tilePath(at);
    const bytes = await tile(path);
    const hashes = expected.get(path);
    if (hashes !== undefined) assert.deepEqual(bytes, Buffer.from(hashes), path);
    else assert.equal(bytes.readUInt16BE(0), entries[at.index * 256]?.length, path);
  }
  const earlier = await tile('tile/0/000.p/3');
  assert.deepEqual(earlier, (await tile('tile/0/000')).subarray(0, 96));
  await assert.rejects(tile('tile/0/001'), { code: 'not_found' });
  for (const path of ['tile/0/0', 'tile/../heads', 'tile/64/000'])
    await assert.rejects(tile(path), { code: 'invalid_request' });
});

test('sealed content opens for the Owner only, with a reason and an entry', async (context) => {
  const { store, owner, workspaceId, ask } = await open(context);
  const admin = await makePerson(store, owner, 'admin', 'admin');
  const member = await makePerson(store, owner, 'member', 'member', workspaceId);
  const sealed = await recordCall(store, member, { content: 'the heron lands' });
  const bare = await recordCall(store, member);
  const read = (by: Asker, id: string, body: unknown) =>
    command(store, by, 'record.content', { params: { id }, body });
  const reason = { reason: 'complaint 17 of today' };
  await assert.rejects(read(admin, sealed.id, reason), { code: 'permission_denied' });
  await assert.rejects(read(owner, sealed.id, {}), { code: 'invalid_request' });
  await assert.rejects(read(owner, bare.id, reason), { code: 'not_found', message: /nothing is sealed/ });
  assert.equal(itemsOf(await ask(owner, 'record.list', { type: 'content_read' })).length, 0);
  assert.deepEqual(await read(owner, sealed.req, reason), { request: 'the heron lands' });
  const entries = itemsOf(await ask(owner, 'record.list', { type: 'content_read' }));
  const shown = await query(store, owner, 'record.get', { params: { id: textOf(entries[0], 'id') } });
  assert.ok(JSON.stringify(shown).includes(sealed.id));
  assert.equal(JSON.stringify(shown).includes('heron'), false);
});

test('usage groups as asked, counts a call for each team, and shows a member only their own', async (context) => {
  const { store, owner, workspaceId, ask } = await open(context);
  const member = await makePerson(store, owner, 'member', 'member', workspaceId);
  const blue = await make(store, owner, 'team.create', { name: 'blue', workspaceId });
  const red = await make(store, owner, 'team.create', { name: 'red', workspaceId });
  await recordCall(store, member, { teams: [blue, red].sort(), costNanos: 5 });
  await recordCall(store, member, { teams: [blue], costNanos: 7 });
  await recordCall(store, owner, { costNanos: 100 });
  const groups = async (by: Asker, groupBy: string) =>
    itemsOf(await ask(by, 'usage.list', { groupBy })).map((item) => [
      ...Object.values(Object(memberOf(item, 'group'))),
      memberOf(item, 'costNanos'),
      memberOf(item, 'requests'),
    ]);
  assert.deepEqual(await groups(owner, 'team'), [
    [null, 100, 1],
    [blue, 12, 2],
    [red, 5, 1],
  ]);
  assert.deepEqual(await groups(owner, 'user,model'), [
    [owner.principalId, 'sandbox', 100, 1],
    [member.principalId, 'sandbox', 12, 2],
  ]);
  assert.deepEqual(await groups(member, 'user'), [[member.principalId, 12, 2]]);
  const names = async (by: Asker, groupBy: string) =>
    itemsOf(await ask(by, 'usage.list', { groupBy })).map((item) => memberOf(item, 'names'));
  assert.deepEqual(await names(owner, 'team'), [{}, { team: 'blue' }, { team: 'red' }]);
  assert.deepEqual(await names(owner, 'user,workspace'), [
    { user: 'Owner of acme', workspace: 'default' },
    { user: 'member', workspace: 'default' },
  ]);
  // Who may read no people is told one's own name, and nobody's else.
  assert.deepEqual(await names(member, 'user'), [{ user: 'member' }]);
  await assert.rejects(ask(owner, 'usage.list', { groupBy: 'user,shoe' }), { code: 'invalid_request' });
});

/** Cedar's JSON form of `forbid` over a label beside a `permit` of everything. */
const compiled = JSON.stringify([
  {
    effect: 'permit',
    principal: { op: 'All' },
    action: { op: 'All' },
    resource: { op: 'All' },
    conditions: [],
  },
  {
    effect: 'forbid',
    principal: { op: 'All' },
    action: { op: 'All' },
    resource: { op: 'All' },
    conditions: [
      {
        kind: 'when',
        body: {
          contains: {
            left: { '.': { left: { Var: 'context' }, attr: 'labels' } },
            right: { Value: 'email' },
          },
        },
      },
    ],
  },
]);

test('a simulated policy says which past calls it would have decided otherwise', async (context) => {
  const { store, owner } = await open(context);
  const changed = await recordCall(store, owner, { labels: ['email'] });
  for (let i = 0; i < 3; i += 1) await recordCall(store, owner);
  await recordCall(store, owner, { model: 'gone-since' });
  const text = 'forbid when email';
  const body = { text };
  const prepared = preparedPolicy(text, compiled);
  const report = await query(store, owner, 'policy.simulate', { body, prepared });
  assert.deepEqual(report, {
    examined: 4,
    skipped: 1,
    changed: 1,
    nowAllowed: 0,
    nowDenied: 1,
    examples: [{ record: changed.id, before: 'allow', after: 'deny', rules: ['policy1'] }],
  });
  const other = preparedPolicy('another text', compiled);
  await assert.rejects(query(store, owner, 'policy.simulate', { body, prepared: other }), {
    code: 'internal',
  });
});
