// Plants queries that leave their organization, in each way that one could.

import { line, type Plant, testGate } from './plant.ts';

const path = 'packages/server/src/stores/keys.ts';
const exempt = 'packages/server/src/stores/objects.ts';
const held = "store.selectFrom('objects').select('id').where('org_id', '=', orgId).execute()";

const store = (claim: string, text: string, finds = 1): Plant => line(claim, path, `${text}\n`, finds);
const asking = (query: string): string =>
  `export function findOne(store: Store, orgId: OrgId, id: string) { return ${query}; }`;

testGate('scope', [
  store('a query without the organization is refused', asking("store.selectFrom('objects').execute()")),
  store(
    'a query held to something else is refused',
    asking("store.selectFrom('objects').where('id', '=', id).execute()"),
  ),
  store(
    'a query held loosely is refused',
    asking("store.selectFrom('objects').where('org_id', '>=', orgId).execute()"),
  ),
  store(
    'a query held to another value is refused',
    asking("store.selectFrom('objects').where('org_id', '=', id).execute()"),
  ),
  store(
    'the organization in another query of the function does not count',
    asking(`[${held}, store.selectFrom('heads').execute()]`),
  ),
  store(
    'the organization in a subquery does not count',
    asking(`store.selectFrom('heads').where('id', 'in', ${held}).execute()`),
  ),
  store('an update of everybody is refused', asking("store.updateTable('heads').set({ size: 0 }).execute()")),
  store('a deletion of everybody is refused', asking("store.deleteFrom('objects').execute()")),
  store('an insert that names nobody is refused', asking("store.insertInto('objects').values({ id })")),
  store('a join is refused', asking(held.replace('.execute()', ".innerJoin('heads', 'a', 'b').execute()"))),
  store(
    'a raw statement is refused',
    asking('sql`select id from objects where org_id = $' + '{orgId}`.execute(store)'),
  ),
  store('a prepared statement is refused', asking('store.executeQuery({ sql: id })')),
  store(
    'a function that is told no organization is refused',
    'export function findOne(store: Store, id: string) { return storeOf(store, id); }',
  ),
  store(
    'an organization that comes from elsewhere is refused',
    `function findOne(store: Store) { const orgId = 'org_1'; return ${held}; }`,
  ),
  store(
    'a query at the top of a module is refused',
    "export const all = (store: Store) => store.selectFrom('objects').execute();",
  ),
  line(
    'an exemption lets through the function that it names, in its own file',
    exempt,
    "export function findIssuer(store: Store) { return store.selectFrom('objects').execute(); }\nexport function findOrganizationOfKey() {}\n",
    0,
  ),
  line(
    'an exemption of a function that is gone is refused',
    exempt,
    'export function findOrganizationOfKey() {}\n',
  ),
  line(
    'an exemption holds in no other file',
    path,
    "export function findIssuer(store: Store) { return store.selectFrom('objects').execute(); }\n",
    2,
  ),
  line(
    'a table without the column is refused',
    'packages/server/src/stores/schema.ts',
    'export type KeysTable = { id: string };\n',
  ),
  line(
    'a table with the column is allowed',
    'packages/server/src/stores/schema.ts',
    'export type KeysTable = { org_id: string; id: string };\n',
    0,
  ),
  line('a query held to its organization is allowed', path, `${asking(held)}\n`, 0),
  line(
    'an insert into its organization is allowed',
    path,
    `${asking("store.insertInto('keys').values({ org_id: orgId, id })")}\n`,
    0,
  ),
  line(
    'a function that asks nothing needs no organization',
    path,
    'export function fromRow(row: Row) { return row.id; }\n',
    0,
  ),
]);
