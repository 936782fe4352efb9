// Owns the claim that organizations cannot see, name or influence each other, over every operation of the contract.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { operations } from '@countersign/contract/operations';
import { isObject } from '@countersign/core/json';
import { commands } from '@countersign/server/control/commands';
import { queries } from '@countersign/server/control/queries';
import { recordCall } from '@countersign/server/control/sample-calls';
import {
  type Asker,
  command,
  makeOrganization,
  openSampleStore,
  preparedPolicy,
  type Question,
  query,
  type SampleStore,
  textOf,
} from '@countersign/server/control/sample-organization';
import { withOwnKey } from '@countersign/server/control/sample-owners';
import { startPostgres } from '../support/postgres.ts';

/** One object of each kind, by the name that operations begin with. */
type Ids = Map<string, string>;
type House = { readonly owner: Asker; readonly ids: Ids; readonly name: string };
type Made = readonly [operation: string, body: (id: (kind: string) => string, name: string) => unknown];

const policy = preparedPolicy('permit (principal, action, resource);');
const reason = 'a reason that is long enough';

/** How one of each kind is made. Both organizations use the same names: none may learn of the other by a clash. */
const making: readonly Made[] = [
  ['workspace.create', () => ({ name: 'second' })],
  ['team.create', (id) => ({ name: 'blue', workspaceId: id('workspace') })],
  [
    'user.create',
    (id, name) => ({
      email: 'same@people.example',
      name: `Person of ${name}`,
      role: 'member',
      workspaceId: id('workspace'),
    }),
  ],
  ['membership.create', (id) => ({ teamId: id('team'), principalId: id('user') })],
  ['service.create', (id) => ({ name: 'app', workspaceId: id('workspace'), clientId: 'app-1' })],
  ['agent.create', (id) => ({ name: 'helper', workspaceId: id('workspace'), ownerId: id('user') })],
  [
    'role_assignment.create',
    (id) => ({ principalId: id('user'), role: 'viewer', workspaceId: id('workspace') }),
  ],
  ['key.create', (id) => ({ name: 'k', principalId: id('agent'), workspaceId: id('workspace') })],
  [
    'token_issuer.create',
    (id) => ({
      name: 'idp',
      issuer: 'https://idp.example.com',
      keys: { kind: 'discovery' },
      workspaceId: id('workspace'),
      teamMap: { blue: id('team') },
    }),
  ],
  [
    'provider.create',
    (_id, name) => ({ name: 'p', kind: 'openai', baseUrl: 'https://api.example.com', apiKey: `sk-${name}` }),
  ],
  ['model.create', (id) => ({ name: 'fast', providerId: id('provider'), workspaceIds: [id('workspace')] })],
  ...['team', 'workspace', 'key', 'model'].map(
    (kind): Made => [
      'budget.create',
      (id) => ({ name: `b-${kind}`, scope: { kind, id: id(kind) }, period: 'month', limitNanos: 5 }),
    ],
  ),
  ...['user', 'service', 'agent'].map(
    (kind): Made => [
      'rate_limit.create',
      (id) => ({ name: `r-${kind}`, scope: { kind: 'person', id: id(kind) }, concurrent: 2 }),
    ],
  ),
  ['classifier.create', () => ({ name: 'c', label: 'project_heron', terms: ['heron'] })],
];

/** What is asked of one object, in an order in which all of it succeeds on an organization's own. */
const acting: readonly Made[] = [
  ['workspace.update', () => ({ costCentre: 'cc' })],
  ['team.update', () => ({ costCentre: 'cc' })],
  ['user.update', () => ({ costCentre: 'cc' })],
  ['service.update', () => ({ costCentre: 'cc' })],
  ['agent.update', () => ({ name: 'renamed' })],
  ['key.update', () => ({ name: 'renamed' })],
  ['key.rotate', () => ({})],
  ['key.revoke', () => ({})],
  ['token_issuer.update', (id) => ({ workspaceId: id('workspace'), teamMap: { red: id('team') } })],
  ['provider.update', () => ({ external: false })],
  ['model.update', (id) => ({ aliases: ['quick'], workspaceIds: [id('workspace')] })],
  ['budget.update', () => ({ limitNanos: 6 })],
  ['rate_limit.update', () => ({ concurrent: 3 })],
  ['classifier.update', () => ({ terms: ['egret'] })],
  ['record.content', () => ({ reason })],
  ['user.erase', () => ({ reason })],
  ['budget.remove', () => null],
  ['rate_limit.remove', () => null],
  ['classifier.remove', () => null],
  ['model.remove', () => null],
  ['provider.remove', () => null],
  ['token_issuer.remove', () => null],
  ['role_assignment.remove', () => null],
  ['membership.remove', () => null],
  ['team.remove', () => null],
];

function lookUp(ids: Ids): (kind: string) => string {
  return (kind) => {
    const id = ids.get(kind);
    assert.ok(id !== undefined, `there is no ${kind} yet`);
    return id;
  };
}

const kindOf = (operation: string): string => operation.split('.')[0] ?? '';

/** The body once for each kind of id in it, with the other organization's instead. */
function foreignVariants(body: unknown, own: Ids, other: Ids): readonly unknown[] {
  const text = JSON.stringify(body);
  return [...own].flatMap(([kind, id]) => {
    const foreign = other.get(kind);
    if (foreign === undefined || !text.includes(id)) return [];
    const variant: unknown = JSON.parse(text.replaceAll(id, foreign));
    return [variant];
  });
}

/** Everything that names an organization: ids of all its objects and records, and its people's words. */
async function marksOf(store: SampleStore, { owner, name }: House): Promise<readonly string[]> {
  const objects = await store.db
    .selectFrom('objects')
    .select('id')
    .where('org_id', '=', owner.orgId)
    .execute();
  const records = await store.db
    .selectFrom('records')
    .select(['id', 'request_id'])
    .where('org_id', '=', owner.orgId)
    .execute();
  const ids = [
    ...objects.map(({ id }) => id),
    ...records.flatMap(({ id, request_id }) => [id, request_id ?? id]),
  ];
  return [...ids, owner.orgId, `of ${name}`, `${name}.example`, `sk-${name}`, `prompt from ${name}`];
}

/** An answer as text, with bytes in it read as text too. */
function said(answer: unknown): string {
  const base64 = isObject(answer) && typeof answer.base64 === 'string' ? answer.base64 : '';
  return `${JSON.stringify(answer)}${Buffer.from(base64, 'base64').toString('latin1')}`;
}

type Ask = (operation: string, question: Question) => Promise<unknown>;

/** Asks as the owner; remembers what was exercised and holds every answer against the other's marks. */
function asking(store: SampleStore, house: House, marks: readonly string[]) {
  const exercised = new Set<string>();
  async function ask(operation: string, question: Question): Promise<unknown> {
    exercised.add(operation);
    const run = commands.has(operation) ? command : query;
    const answer = await run(store, house.owner, operation, question);
    const text = said(answer);
    const leaked = marks.find((mark) => text.includes(mark));
    assert.equal(leaked, undefined, `\`${operation}\` shows the other organization's \`${leaked}\``);
    return answer;
  }
  async function refused(operation: string, question: Question, what: string): Promise<void> {
    await assert.rejects(ask(operation, question), { code: 'not_found' }, `${operation} takes ${what}`);
  }
  return { ask, refused, exercised };
}

async function populate(store: SampleStore, name: string): Promise<House> {
  const owner = await withOwnKey(store, (await makeOrganization(store, name)).owner);
  const house: House = { owner, ids: new Map(), name };
  for (const [operation, body] of making) {
    const made = await command(store, owner, operation, { body: body(lookUp(house.ids), name) });
    house.ids.set(kindOf(operation), textOf(made, 'id'));
  }
  await recordOne(store, house);
  return house;
}

async function recordOne(store: SampleStore, { owner, ids, name }: House): Promise<void> {
  const modelId = lookUp(ids)('model');
  const intent = await recordCall(store, owner, { model: 'fast', modelId, content: `prompt from ${name}` });
  ids.set('record', intent.id);
}

/** All rows of one organization, in every table. */
async function rowsOf(store: SampleStore, { owner }: House): Promise<string> {
  const tables = [
    'objects',
    'heads',
    'entry_bundles',
    'records',
    'usage_daily',
    'usage_dimensions',
    'subjects',
    'sidecars',
  ] as const;
  const more = ['policies', 'provider_keys', 'erasure_requests', 'changes', 'tiles', 'idempotency'] as const;
  const cosigned = ['cosignatures', 'cosigned_checkpoints'] as const;
  const all: unknown[] = [];
  for (const table of [...tables, ...more, ...cosigned])
    all.push(await store.db.selectFrom(table).selectAll().where('org_id', '=', owner.orgId).execute());
  return JSON.stringify(all, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

const { cluster, skip } = await startPostgres();
after(() => cluster?.stop());

const claim = 'an organization neither sees nor names nor touches another one, whatever it calls';
test(`${claim} (SQLite)`, async (context) => holdApart(await openSampleStore(context)));
test(`${claim} (PostgreSQL)`, { skip }, async (context) => {
  assert.ok(cluster !== undefined);
  await holdApart(await openSampleStore(context, { kind: 'postgres', url: await cluster.createDatabase() }));
});

/** Asks for every list, and for the page after one that another organization was given. */
async function refuseForeignCursors(store: SampleStore, bravo: House, ask: Ask): Promise<void> {
  const cursors = new Map<string, unknown>();
  for (const [operation, { operation: declared }] of queries) {
    if (!('cursor' in declared.query.shape)) continue;
    await ask(operation, { query: { limit: '200' } });
    const page = await query(store, bravo.owner, operation, { query: { limit: '1' } });
    cursors.set(operation, isObject(page) ? page.next : undefined);
  }
  for (const [operation, cursor] of cursors) {
    if (cursor === undefined) continue;
    await assert.rejects(ask(operation, { query: { cursor } }), { code: 'invalid_request' }, operation);
  }
  assert.ok([...cursors.values()].filter((cursor) => cursor !== undefined).length >= 5);
}

/** Asks everything as one organization, with the other's ids wherever an id goes. */
async function holdApart(store: SampleStore): Promise<void> {
  const bravo = await populate(store, 'bravo');
  const before = await rowsOf(store, bravo);
  const marks = await marksOf(store, bravo);
  const owner = await withOwnKey(store, (await makeOrganization(store, 'alpha')).owner);
  const alpha: House = { owner, ids: new Map(), name: 'alpha' };
  const { ask, refused, exercised } = asking(store, alpha, marks);
  const id = lookUp(alpha.ids);

  for (const [operation, body] of making) {
    const own = body(id, alpha.name);
    for (const variant of foreignVariants(own, alpha.ids, bravo.ids))
      await refused(operation, { body: variant }, JSON.stringify(variant));
    alpha.ids.set(kindOf(operation), textOf(await ask(operation, { body: own }), 'id'));
  }
  await recordOne(store, alpha);

  for (const [operation, { operation: declared }] of queries) {
    if (!('id' in declared.params.shape)) continue;
    const kind = kindOf(operation);
    await refused(operation, { params: { id: lookUp(bravo.ids)(kind) } }, 'a foreign id');
    await ask(operation, { params: { id: id(kind) } });
  }

  await refuseForeignCursors(store, bravo, ask);

  const foreign = lookUp(bravo.ids);
  for (const filter of [
    { actor: bravo.owner.principalId },
    { workspace: bravo.owner.workspaceId },
    { application: foreign('service') },
  ])
    assert.deepEqual(await ask('record.list', { query: filter }), { items: [] });
  await ask('usage.list', { query: { groupBy: 'user,team,workspace,costCenter,model,application' } });
  await ask('organization.get', {});
  await ask('ledger.checkpoint', {});
  await ask('ledger.tile', { params: { path: 'entries/000.p/20' } });
  await ask('policy.simulate', { body: { text: policy.text }, prepared: policy });
  await ask('policy.publish', { body: { text: policy.text }, prepared: policy });
  await ask('organization.update', { body: { outputCeiling: 100 } });

  for (const [operation, body] of acting) {
    const kind = kindOf(operation);
    const own = body(id, alpha.name);
    await refused(operation, { params: { id: foreign(kind) }, body: own }, 'a foreign id');
    for (const variant of foreignVariants(own, alpha.ids, bravo.ids))
      await refused(operation, { params: { id: id(kind) }, body: variant }, JSON.stringify(variant));
    await ask(operation, { params: { id: id(kind) }, body: own });
  }

  // Internal commands take no request of anybody: their one organization comes with the token that was verified.
  const asked = [...commands.keys(), ...queries.keys()].filter((id) =>
    operations.some((one) => one.id === id),
  );
  assert.deepEqual([...exercised].sort(), asked.sort());
  assert.equal(await rowsOf(store, bravo), before);
}
