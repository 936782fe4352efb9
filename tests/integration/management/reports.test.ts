// Claims about the reports, records and usage, as the API gives them: their CSV, and what is refused of a question.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { runCli } from '@countersign/cli/run-cli';
import { recordList } from '@countersign/contract/evidence-operations';
import { usageList } from '@countersign/contract/usage-operations';
import { startServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(async () => {
  await server.stop();
});

async function get(
  path: string,
  accept = '*/*',
): Promise<{ readonly answer: Response; readonly text: string }> {
  const headers = { authorization: `Bearer ${server.managementKey}`, accept };
  const answer = await fetch(`${server.url}/api/v1${path}`, { headers });
  return { answer, text: await answer.text() };
}

async function cli(...words: string[]): Promise<string> {
  const ran = await runCli(words, { COUNTERSIGN_URL: server.url, COUNTERSIGN_KEY: server.managementKey });
  assert.equal(ran.code, 0, ran.err);
  return ran.out;
}

test('an empty report in CSV has its header, and the command line prints the same', async () => {
  const usage = await get('/usage?format=csv&from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z');
  assert.match(usage.text, /^group\.user,group\.team,.*,requests,input,output,.*,currency\r\n$/);
  assert.equal(await cli('usage', '--csv', '--from', '2020-01-01', '--to', '2020-01-01'), usage.text);
  const records = await get('/records?format=csv&to=2020-01-01T00:00:00Z');
  assert.match(
    records.text,
    /^id,requestId,index,.*actor\.name,.*usage\.input,.*,event,.*alert\.percent\r\n$/,
  );
  assert.equal(await cli('records', '--csv', '--to', '2019-12-31'), records.text);
});

test('pages of records in CSV that are chained make the whole list', async () => {
  for (const legalHold of [true, false]) await server.api('PATCH', '/organization', { legalHold });
  const whole = await get('/records', 'text/csv');
  assert.match(whole.answer.headers.get('content-type') ?? '', /^text\/csv/);
  const lines = whole.text.split('\r\n');
  const chained: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page = await get(`/records?format=csv&limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
    const [header, ...rows] = page.text.split('\r\n');
    assert.equal(header, lines[0]);
    chained.push(...rows.filter((row) => row !== ''));
    cursor = page.answer.headers.get('x-next-cursor');
  }
  assert.ok(chained.length > 2);
  assert.deepEqual(chained, lines.slice(1, -1));
  assert.equal(await cli('records', '--csv', '--all', '--limit', '2'), whole.text);
});

test('a report of usage over a part of a day is refused, not rounded', async () => {
  const { answer, text } = await get('/usage?from=2026-01-31T12:00:00Z');
  assert.equal(answer.status, 400);
  assert.match(text, /`query\.from` must be a midnight in UTC, such as .*whole UTC days/);
  const whole = usageList.response.parse(
    (await server.api('GET', '/usage?from=2020-01-31T00:00:00Z&to=2020-02-01T00:00:00Z')).body,
  );
  assert.deepEqual([whole.from, whole.to], ['2020-01-31T00:00:00.000Z', '2020-02-01T00:00:00.000Z']);
});

test('records are narrowed by type and by event, and what is neither is refused', async () => {
  const types = async (query: string) =>
    recordList.response
      .parse((await server.api('GET', `/records?${query}`)).body)
      .items.map(({ type, event }) => `${type} ${event}`);
  assert.deepEqual(await types('event=organization.init'), ['management organization.init']);
  assert.ok((await types('type=management&event=organization.update')).length > 0);
  assert.deepEqual(await types('event=key.revoke'), []);
  for (const [query, told] of [
    ['type=nope', /`query\.type` must be one of `model_call`/],
    ['type=key.create', /`query\.type` must be one of `model_call`/],
    ['event=key.creat', /`event` takes an operation, .* did you mean `key\.create`\?/],
    ['event=management', /`event` takes an operation/],
  ] as const) {
    const { answer, text } = await get(`/records?${query}`);
    assert.equal(answer.status, 400, query);
    assert.match(text, told);
  }
});

test('a form that is none, or that the operation does not have, is refused', async () => {
  for (const path of ['/records?format=xml', '/usage?format=CSV', '/users?format=csv']) {
    const { answer, text } = await get(path);
    assert.equal(answer.status, 400, path);
    assert.match(text, /`?query\.?format|`format`/, path);
  }
  const json = await get('/usage?format=json', 'text/csv');
  assert.match(json.answer.headers.get('content-type') ?? '', /^application\/json/);
});
