// Tries the reports, `records` and `usage`: as tables, CSV and JSON, by names, over dates.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { makeId } from '@countersign/core/ids';
import { type Answers, type ContractServer, serveContract } from './contract-server.ts';
import { type Ran, runCli } from './run-cli.ts';

const view = {
  id: '018f2f3c-0000-7000-8000-000000000001',
  index: 5,
  at: '2025-11-22T00:01:05.000Z',
  type: 'model_call',
  actor: { id: 'usr', kind: 'user', name: 'Alice Example', agents: [] },
  teams: [],
  rules: [],
  labels: [],
};

type Setting = { readonly server: ContractServer; readonly cli: (...words: string[]) => Promise<Ran> };

async function setting(t: TestContext, answers: Answers): Promise<Setting> {
  const server = await serveContract(answers);
  t.after(server.close);
  const env = { COUNTERSIGN_URL: server.url, COUNTERSIGN_MANAGEMENT_KEY: 'csk_sample' };
  return { server, cli: (...words) => runCli(words, env) };
}

/** Lines of CSV without quotes, each by the names of its columns. */
function told(csv: string): readonly { readonly [column: string]: string | undefined }[] {
  const [columns = [], ...rows] = csv
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(','));
  return rows.map((cells) => Object.fromEntries(columns.map((name, i) => [name, cells[i]])));
}

test('records and usage are tables, CSV or JSON, with money undiminished', async (t) => {
  const row = {
    group: { user: 'usr_1', model: '=small' },
    requests: 2,
    input: 12,
    output: 34,
    cached: 0,
    reasoning: 0,
    costNanos: 400,
    estimated: 0,
  };
  const used = { from: view.at, to: view.at, currency: 'USD', items: [row] };
  const { cli, server } = await setting(t, {
    'usage.list': () => used,
    'record.list': () => ({ items: [{ ...view, decision: 'deny', rules: ['r'] }] }),
  });
  const table = await cli('usage', '--group-by', 'user,model');
  assert.match(
    table.out,
    /^USER +MODEL +REQUESTS .*COST USD .*\nusr_1 +=small +2 +12 +34 +0 +0 +0\.0000004 /,
  );
  assert.equal(server.asked[0]?.query.groupBy, 'user,model');
  assert.match((await cli('usage', '--csv')).out, /\r\nusr_1,,,,'=small,,.*,2,12,34,0,0,400,0,.*,USD\r\n/);
  assert.deepEqual(JSON.parse((await cli('usage', '--json')).out), used);
  const records = await cli('records', '--decision', 'deny');
  assert.match(records.out, /Alice Example .*deny +r/);
  assert.equal(server.asked.at(-1)?.query.decision, 'deny');
});

test('usage is told by names in a table, by ids and names in CSV; nothing is an empty cell there', async (t) => {
  const counts = { requests: 1, input: 1, output: 1, cached: 0, reasoning: 0, costNanos: 5, estimated: 0 };
  const of = (user: string, team: string | null, names: object) => ({
    ...counts,
    group: { user, team },
    names,
  });
  const items = [
    of('usr_1', 'team_1', { user: 'Bob', team: 'blue' }),
    of('usr_2', null, { user: 'Bob' }),
    of('usr_3', null, { user: 'Carol' }),
    of('usr_4', null, {}),
  ];
  const { cli } = await setting(t, {
    'usage.list': () => ({ from: view.at, to: view.at, currency: 'USD', items }),
  });
  const lines = (await cli('usage')).out.split('\n').map((line) => line.split(/ {2,}/).slice(0, 2));
  assert.deepEqual(lines.slice(0, 5), [
    ['USER', 'TEAM'],
    ['Bob (usr_1)', 'blue'],
    ['Bob (usr_2)', '-'],
    ['Carol', '-'],
    ['usr_4', '-'],
  ]);
  const csv = told((await cli('usage', '--csv')).out);
  assert.deepEqual(
    csv.map((row) => ['group.user', 'group.team', 'names.user', 'names.team'].map((name) => row[name])),
    [
      ['usr_1', 'team_1', 'Bob', 'blue'],
      ['usr_2', '', 'Bob', ''],
      ['usr_3', '', 'Carol', ''],
      ['usr_4', '', '', ''],
    ],
  );
});

test('records in CSV hold what a table has no room for', async (t) => {
  const actor = { ...view.actor, application: 'svc_1', applicationName: 'webapp', proof: 'key' };
  const item = { ...view, actor, requestId: 'req_1', costCentre: 'R&D', teams: ['team_1', 'team_2'] };
  const { cli } = await setting(t, { 'record.list': () => ({ items: [item] }) });
  const [row] = told((await cli('records', '--csv')).out);
  assert.deepEqual([row?.['actor.name'], row?.['actor.id']], ['Alice Example', 'usr']);
  assert.deepEqual([row?.['actor.applicationName'], row?.['actor.application']], ['webapp', 'svc_1']);
  assert.deepEqual([row?.requestId, row?.teams, row?.costCentre], ['req_1', 'team_1 team_2', 'R&D']);
});

test('usage is asked for in whole UTC days: a time within one is refused, a date is included', async (t) => {
  const { cli, server } = await setting(t, {
    'usage.list': () => ({ from: view.at, to: view.at, currency: 'USD', items: [] }),
  });
  for (const whole of ['2026-01-31', '2026-01-31T00:00:00Z', '2026-01-31T02:00:00+02:00'])
    assert.equal((await cli('usage', '--from', whole)).code, 0, whole);
  await cli('usage', '--to', '2026-01-31');
  assert.equal(server.asked.at(-1)?.query.to, '2026-02-01T00:00:00.000Z');
  for (const flag of ['--from', '--to']) {
    const ran = await cli('usage', flag, '2026-01-31T00:00:01Z');
    assert.equal(ran.code, 2, ran.err);
    assert.match(ran.err, /must be a midnight in UTC, such as `\S+`: usage is counted in whole UTC days/);
  }
  assert.match((await cli('usage', '--help')).out, /--to TIME .*the end of its UTC day, which is included/);
});

test('the event of a record has a column and a filter of its own', async (t) => {
  const item = { ...view, type: 'management', event: 'key.create' };
  const { cli, server } = await setting(t, { 'record.list': () => ({ items: [item] }) });
  const table = await cli('records', '--event', 'key.create', '--type', 'management');
  assert.match(table.out, /^AT +ID +TYPE +EVENT +ACTOR .*\n.* management +key\.create +Alice Example/);
  assert.deepEqual(server.asked[0]?.query, { event: 'key.create', type: 'management' });
  const wrong = await cli('records', '--type', 'key.create');
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /`type`: must be one of `model_call`, .*`management`/);
  assert.equal(server.asked.length, 1);
});

test('a date stands for its whole UTC day, and what is no time is told by an example', async (t) => {
  const { cli, server } = await setting(t, { 'record.list': () => ({ items: [] }) });
  assert.equal((await cli('records', '--from', '2026-01-31', '--to', '2026-02-28')).code, 0);
  const query = server.asked[0]?.query;
  assert.deepEqual([query?.from, query?.to], ['2026-01-31T00:00:00.000Z', '2026-03-01T00:00:00.000Z']);
  await cli('records', '--from', '2026-01-31T10:00:00+02:00');
  assert.equal(server.asked.at(-1)?.query.from, '2026-01-31T10:00:00+02:00');
  for (const wrong of ['yesterday', '2026-02-30', '31.1.2026', '2026-1-1']) {
    const ran = await cli('records', '--from', wrong);
    assert.equal(ran.code, 2, wrong);
    assert.match(ran.err, /`--from` takes a time such as 2026-01-31T12:00:00Z or a date such as 2026-01-31/);
  }
});

test('a list shows what its rows are about, and usage and records are the same by either name', async (t) => {
  const counts = { requests: 1, input: 1, output: 1, cached: 0, reasoning: 0, costNanos: 5, estimated: 0 };
  const limit = { id: makeId('rateLimit', 1, new Uint8Array(10)), name: 'l', requestsPerMinute: 60 };
  const workspace = makeId('workspace', 1, new Uint8Array(10));
  const scopes = [{ kind: 'workspace', id: workspace }, { kind: 'organization' }];
  const { cli } = await setting(t, {
    'usage.list': () => ({
      ...{ from: view.at, to: view.at, currency: 'USD' },
      items: [{ ...counts, group: { user: 'usr_1' }, names: { user: 'Bob' } }],
    }),
    'record.list': () => ({ items: [view] }),
    'rate_limit.list': () => ({ items: scopes.map((scope) => ({ ...limit, scope })) }),
  });
  const limits = await cli('rate-limits', 'list');
  assert.match(limits.out, /^ID +NAME .*SCOPE/, limits.err);
  assert.match(limits.out, new RegExp(` workspace ${workspace}(?: |$).*\\n.* organization`, 'm'));
  for (const [short, long] of [
    [['usage'], ['usage', 'list']],
    [['records'], ['records', 'list']],
  ] as const)
    assert.equal((await cli(...short)).out, (await cli(...long)).out);
  assert.match((await cli('usage', 'list')).out, /^USER .*\nBob /);
});

test('the text of metrics is printed with nothing around it', async (t) => {
  const text = '# HELP a_total what it counts\na_total 1\n';
  const { cli } = await setting(t, { 'metrics.read': () => ({ text }) });
  assert.equal((await cli('metrics', 'read')).out, text);
});

test('where a page ends is told so that it can be pasted, also before the log was continued', async (t) => {
  const asked: unknown[] = [];
  const { cli } = await setting(t, {
    'record.list': ({ query }) => {
      asked.push(query);
      return { items: [view], next: '-1125899906842616.3bd10fe092' };
    },
  });
  const { err } = await cli('records', '--limit', '1');
  const pasted = /add --all, or (--cursor\S+)/.exec(err)?.[1] ?? '';
  const next = await cli('records', pasted);
  assert.equal(next.code, 0, next.err);
  assert.match(JSON.stringify(asked[1]), /"-1125899906842616\.3bd10fe092"/);
});
