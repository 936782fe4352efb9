// Owns the claims about people whom a token brings: made once, given what is claimed, never more, never linked by address.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { isId } from '@countersign/core/ids';
import { readEntries } from '../services/ledger/read-tiles.ts';
import { readHead } from '../stores/heads.ts';
import { listByOwner } from '../stores/objects.ts';
import {
  type Asker,
  command,
  make,
  makeOrganization,
  makePerson,
  openSampleStore,
  query,
  type SampleStore,
  textOf,
} from './sample-organization.ts';
import { twoOwners } from './sample-owners.ts';

const subjectOf = (name: string): string => createHash('sha256').update(name).digest('hex');

async function open(context: TestContext, changes: object = {}) {
  const store = await openSampleStore(context);
  const { owner, workspaceId } = await makeOrganization(store, 'acme');
  const red = await make(store, owner, 'team.create', { name: 'red', workspaceId });
  const blue = await make(store, owner, 'team.create', { name: 'blue', workspaceId });
  const issuerId = await make(store, owner, 'token_issuer.create', {
    name: 'corp',
    issuer: 'https://login.example.com',
    keys: { kind: 'discovery' },
    claims: { subject: 'sub', email: 'email', name: 'name', roles: 'groups', teams: 'groups' },
    roleMap: { users: 'member', audit: 'auditor', root: 'owner' },
    teamMap: { red, blue },
    justInTime: true,
    workspaceId,
    ...changes,
  });
  const bring = async (asked: readonly object[]): Promise<readonly unknown[]> => {
    const usual = { issuerId, subject: subjectOf('alice'), roles: ['member'], teams: [] };
    const body = { people: asked.map((one) => ({ ...usual, ...one })) };
    const answer = new Map<string, unknown>(
      Object.entries(Object(await command(store, owner, 'user.provision', { body }))),
    );
    const ids = answer.get('ids');
    return Array.isArray(ids) ? ids : [];
  };
  const arrive = async (asked: object = {}): Promise<Asker> => {
    const [id] = await bring([asked]);
    assert.ok(typeof id === 'string' && isId('user', id), 'refused');
    return { orgId: owner.orgId, principalId: id, workspaceId };
  };
  const version = async (): Promise<number> => (await readHead(store.db, owner.orgId))?.version ?? 0;
  return { store, owner, workspaceId, red, blue, issuerId, arrive, bring, version };
}

type Row = { readonly role?: string; readonly teamId?: string; readonly source: string };

async function heldBy(store: SampleStore, { orgId, principalId }: Asker): Promise<readonly Row[]> {
  const rows = await store.db
    .selectFrom('objects')
    .select('state')
    .where('org_id', '=', orgId)
    .where('kind', 'in', ['roleAssignment', 'membership'])
    .where('owner_key', '=', principalId)
    .orderBy('id')
    .execute();
  return rows.map(({ state }) => {
    const json: unknown = JSON.parse(state);
    const has = (name: string): boolean => typeof json === 'object' && json !== null && name in json;
    const source = textOf(json, 'source');
    if (has('role')) return { role: textOf(json, 'role'), source };
    return { teamId: textOf(json, 'teamId'), source };
  });
}

test('a new subject becomes a person once; the same token again makes no version', async (context) => {
  const { store, owner, issuerId, arrive, version, red } = await open(context);
  const asked = { teams: [red], email: 'alice@people.example', name: 'Alice' };
  const alice = await arrive(asked);
  const given = [
    { role: 'member', source: issuerId },
    { teamId: red, source: issuerId },
  ];
  assert.deepEqual(new Set(await heldBy(store, alice)), new Set(given));
  const shown = await query(store, owner, 'user.get', { params: { id: alice.principalId } });
  assert.equal(textOf(shown, 'email'), 'alice@people.example');
  assert.equal(textOf(shown, 'name'), 'Alice');
  const before = await version();
  assert.equal((await arrive(asked)).principalId, alice.principalId);
  assert.equal(await version(), before);
});

test('of a name in a token nothing is kept that acts on a terminal, or of a name that is nothing else', async (context) => {
  const { store, owner, arrive } = await open(context);
  const nameOf = async ({ principalId }: Asker): Promise<unknown> =>
    Object(await query(store, owner, 'user.get', { params: { id: principalId } })).name;
  const eve = { subject: subjectOf('eve'), name: '\n=cmd|calc\u001b[2Jx\u202e' };
  assert.equal(await nameOf(await arrive(eve)), '=cmd|calc[2Jx');
  assert.equal(await nameOf(await arrive({ subject: subjectOf('bell'), name: '\u0007' })), undefined);
});

test("a token's person stands in the log by their commitment alone", async (context) => {
  const { store, owner, arrive } = await open(context);
  await arrive({ email: 'canary-9d2@people.example', name: 'Canary Ninedtwo' });
  const head = await readHead(store.db, owner.orgId);
  const entries = await readEntries(store.db, owner.orgId, 0, head?.size ?? 0);
  const text = entries.map((entry) => Buffer.from(entry).toString('utf8'));
  assert.equal(/canary-9d2|ninedtwo/i.test(text.join('\n')), false);
  assert.match(text.at(-1) ?? '', /"op":"user\.provision"/);
  assert.ok(text.at(-1)?.includes(subjectOf('alice')));
});

test('roles and teams follow the claims; what was given directly stays and is not given twice', async (context) => {
  const { store, owner, workspaceId, red, blue, issuerId, arrive } = await open(context);
  const alice = await arrive({ teams: [red] });
  const { principalId } = alice;
  await command(store, owner, 'role_assignment.create', {
    body: { principalId, role: 'viewer', workspaceId },
  });
  await command(store, owner, 'membership.create', { body: { principalId, teamId: blue } });
  const direct = [
    { role: 'viewer', source: 'direct' },
    { teamId: blue, source: 'direct' },
  ];
  await arrive({ roles: ['auditor'], teams: [blue] });
  const now = await heldBy(store, alice);
  assert.deepEqual(new Set(now), new Set([...direct, { role: 'auditor', source: issuerId }]));
  await arrive({ roles: [], teams: [] });
  assert.deepEqual(new Set(await heldBy(store, alice)), new Set(direct));
});

test('what an issuer gave nobody else takes away, for as long as it is trusted', async (context) => {
  const { store, owner, red, issuerId, arrive, version } = await open(context);
  const alice = await arrive({ roles: ['member'], teams: [red] });
  const given = {
    'role_assignment.remove': await listByOwner(store.db, owner.orgId, 'roleAssignment', alice.principalId),
    'membership.remove': await listByOwner(store.db, owner.orgId, 'membership', alice.principalId),
  };
  const take = async () => {
    const codes: string[] = [];
    for (const [operation, [only, ...others]] of Object.entries(given)) {
      assert.deepEqual([only === undefined, others.length], [false, 0]);
      const params = { id: only?.state.id ?? '' };
      await command(store, owner, operation, { params }).catch((error) => codes.push(error.code));
    }
    return codes;
  };
  const before = await version();
  assert.deepEqual(await take(), ['conflict', 'conflict']);
  assert.equal(await version(), before);
  assert.equal((await heldBy(store, alice)).length, 2);
  await command(store, owner, 'token_issuer.remove', { params: { id: issuerId } });
  assert.deepEqual(await take(), []);
  assert.deepEqual(await heldBy(store, alice), []);
});

test('nobody becomes an owner by a token, and nothing is given that the maps do not name', async (context) => {
  const { store, arrive, owner, workspaceId } = await open(context);
  const other = await make(store, owner, 'team.create', { name: 'green', workspaceId });
  const alice = await arrive({ roles: ['owner', 'admin', 'member'], teams: [other] });
  assert.deepEqual(
    (await heldBy(store, alice)).map(({ role }) => role),
    ['member'],
  );
});

test('an issuer that maps no roles gives `member`; one that maps some gives nothing to whom it maps to nothing', async (context) => {
  const plain = await open(context, { claims: { subject: 'sub' }, roleMap: {} });
  const alice = await plain.arrive({ roles: [] });
  assert.deepEqual(await heldBy(plain.store, alice), [{ role: 'member', source: plain.issuerId }]);
  const mapped = await open(context);
  assert.deepEqual(await heldBy(mapped.store, await mapped.arrive({ roles: [] })), []);
});

test('an address links no accounts: who has it keeps it, and the newcomer is somebody else', async (context) => {
  const { store, owner, arrive } = await open(context);
  const first = await makePerson(store, owner, 'alice', 'admin');
  const second = await arrive({ email: 'ALICE@people.example', name: 'Alice' });
  assert.notEqual(second.principalId, first.principalId);
  const shown = await query(store, owner, 'user.get', { params: { id: second.principalId } });
  assert.equal(Object.hasOwn(Object(shown), 'email'), false);
  const kept = await query(store, owner, 'user.get', { params: { id: first.principalId } });
  assert.equal(textOf(kept, 'email'), 'alice@people.example');
  const third = await arrive({ subject: subjectOf('bob'), email: 'not an address' });
  assert.equal(
    Object.hasOwn(
      Object(await query(store, owner, 'user.get', { params: { id: third.principalId } })),
      'email',
    ),
    false,
  );
});

test('a suspended person stays suspended and as they are', async (context) => {
  const { store, owner, arrive, version } = await open(context);
  const alice = await arrive();
  const params = { id: alice.principalId };
  await command(store, owner, 'user.update', { params, body: { status: 'suspended' } });
  const [before, held] = [await version(), await heldBy(store, alice)];
  assert.equal((await arrive({ roles: ['auditor'] })).principalId, alice.principalId);
  assert.equal(await version(), before);
  assert.deepEqual(await heldBy(store, alice), held);
  assert.equal(textOf(await query(store, owner, 'user.get', { params }), 'status'), 'suspended');
});

test('an erased person stays erased: the same subject is somebody new, with nothing of theirs', async (context) => {
  const { store, owner, arrive } = await open(context);
  const { first, second } = await twoOwners(store, owner);
  const alice = await arrive();
  const question = { params: { id: alice.principalId }, body: { reason: 'they asked for it in writing' } };
  await command(store, first, 'user.erase', question);
  await command(store, second, 'user.erase', question);
  assert.notEqual((await arrive()).principalId, alice.principalId);
  const gone = await query(store, owner, 'user.get', { params: question.params });
  assert.deepEqual(gone, { id: alice.principalId, status: 'erased' });
});

test('an issuer that may not make people, or is not trusted any more, makes none', async (context) => {
  const refused = /refused/;
  const { store, owner, issuerId, arrive } = await open(context);
  const alice = await arrive();
  const params = { id: issuerId };
  await command(store, owner, 'token_issuer.update', { params, body: { justInTime: false } });
  await assert.rejects(arrive({ subject: subjectOf('bob') }), refused);
  assert.equal((await arrive()).principalId, alice.principalId);
  await command(store, owner, 'token_issuer.update', { params, body: { status: 'suspended' } });
  await assert.rejects(arrive(), refused);
});

test('of many teams claimed the first are given, as many as a person may be in; who is in them stays', async (context) => {
  const { store, owner, workspaceId, issuerId, red, arrive, version } = await open(context);
  const teams: string[] = [];
  for (let i = 0; i < 120; i += 1)
    teams.push(await make(store, owner, 'team.create', { name: `t${i}`, workspaceId }));
  const teamMap = Object.fromEntries([...teams, red].map((id, i) => [`group-${i}`, id]));
  await command(store, owner, 'token_issuer.update', { params: { id: issuerId }, body: { teamMap } });
  const alice = await arrive({ teams: [] });
  const { principalId } = alice;
  await command(store, owner, 'membership.create', { body: { principalId, teamId: red } });
  const teamsOf = async () => (await heldBy(store, alice)).flatMap(({ teamId }) => teamId ?? []);
  await arrive({ teams });
  await arrive({ teams });
  const first = new Set([red, ...teams.slice(0, 99)]);
  assert.deepEqual(new Set(await teamsOf()), first);
  const settled = await version();
  await arrive({ teams });
  await arrive({ teams: teams.toReversed() });
  assert.equal(await version(), settled, 'nothing is exchanged for what there is no room for');
  await arrive({ teams: teams.slice(1) });
  assert.deepEqual(new Set(await teamsOf()), new Set([red, ...teams.slice(1, 100)]));
});

test('many people come in one version; twins, shared addresses and what is too much wait for the next', async (context) => {
  const { owner, store, arrive, bring, version } = await open(context);
  const before = await version();
  const people = Array.from({ length: 80 }, (_, i) => ({
    subject: subjectOf(`p${i}`),
    email: `p${i}@people.example`,
  }));
  const made = async (): Promise<number> => (await bring(people)).filter((id) => id !== null).length;
  assert.equal(await made(), 25);
  assert.equal(await version(), before + 1);
  assert.deepEqual([await made(), await made(), await made()], [50, 75, 80]);
  assert.equal(await version(), before + 4);
  const twin = { subject: subjectOf('twin'), email: 'shared@people.example' };
  const [first, second, third] = await bring([
    twin,
    twin,
    { subject: subjectOf('other'), email: 'SHARED@people.example' },
  ]);
  assert.deepEqual([first === null, second, third], [false, null, null]);
  const other = await arrive({ subject: subjectOf('other'), email: 'SHARED@people.example' });
  const shown = await query(store, owner, 'user.get', { params: { id: other.principalId } });
  assert.equal(Object.hasOwn(Object(shown), 'email'), false);
});
