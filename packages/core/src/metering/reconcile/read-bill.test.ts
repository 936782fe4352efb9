// Tests the reading of bills: each form in the shape that its provider documents, with invented numbers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BillError, type BillForm, type BillPage } from './bill.ts';
import { type GatherOptions, gatherBill } from './gather-bill.ts';
import { readBill } from './read-bill.ts';

const march3 = Date.UTC(2026, 2, 3) / 1000;
const daySeconds = 86_400;

function openAiPage(results: readonly object[], more: object = {}): object {
  const bucket = { object: 'bucket', start_time: march3, end_time: march3 + daySeconds, results };
  return { object: 'page', data: [bucket], has_more: false, next_page: null, ...more };
}

const completions = {
  object: 'organization.usage.completions.result',
  input_tokens: 1000,
  output_tokens: 500,
  input_cached_tokens: 800,
  input_audio_tokens: 0,
  output_audio_tokens: 0,
  num_model_requests: 5,
  project_id: null,
  user_id: null,
  api_key_id: null,
  model: 'gpt-x-2026-01-01',
  batch: null,
};

const embeddings = {
  object: 'organization.usage.embeddings.result',
  input_tokens: 16,
  num_model_requests: 2,
  project_id: null,
  user_id: null,
  api_key_id: null,
  model: 'embed-x',
};

const messages = {
  uncached_input_tokens: 1500,
  cache_creation: { ephemeral_1h_input_tokens: 1000, ephemeral_5m_input_tokens: 500 },
  cache_read_input_tokens: 200,
  output_tokens: 300,
  server_tool_use: { web_search_requests: 10 },
  api_key_id: null,
  workspace_id: null,
  model: 'claude-x',
  service_tier: 'standard',
  context_window: '0-200k',
};

function anthropicPage(results: readonly object[], day = '2026-03-03'): object {
  const next = new Date(Date.parse(day) + 86_400_000).toISOString();
  const bucket = { starting_at: `${day}T00:00:00Z`, ending_at: next, results };
  return { data: [bucket], has_more: false, next_page: null };
}

const consoleCsv = `usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,web_search_count,inference_geo,speed
2026-03-03,claude-x,gateway,Default,standard,≤ 200k,1500,500,1000,200,300,0,not_available,
2026-03-03,claude-x,"other, key",Default,standard,≤ 200k,1,0,0,0,2,0,not_available,
`;

const plainCsv = 'day,model,requests,input_tokens,output_tokens,cached_tokens\n2026-03-03,m,5,1000,500,800\n';

function read(value: object | string, form?: BillForm, file = 'bill'): readonly BillPage[] {
  return readBill(file, typeof value === 'string' ? value : JSON.stringify(value), form);
}

const gather = (value: object | string, options?: GatherOptions) => gatherBill(read(value), options);

function refused(run: () => unknown, message: RegExp): void {
  assert.throws(run, (error) => error instanceof BillError && message.test(error.message));
}

test('input of OpenAI is all input, and what was read from the cache is a part of it', () => {
  const [line] = gather(openAiPage([completions])).lines;
  assert.equal(line?.model, 'gpt-x-2026-01-01');
  assert.deepEqual(line.told, {
    requests: 5n,
    input: 1000n,
    cached: 800n,
    cacheWrite: undefined,
    output: 500n,
  });
  const written = gather(openAiPage([{ ...completions, input_cache_write_tokens: 7 }])).lines[0];
  assert.equal(written?.told.cacheWrite, 7n);
});

test('embeddings are counted by requests and input alone', () => {
  const bill = gatherBill([...read(openAiPage([embeddings])), ...read(openAiPage([completions]))]);
  assert.deepEqual(bill.lines[0]?.told, { requests: 2n, input: 16n });
  assert.deepEqual(bill.forms, ['openai-embeddings', 'openai-completions']);
  assert.deepEqual([...bill.spans.keys()].toSorted(), [
    'chat',
    'completions',
    'embeddings',
    'response_compact',
    'responses',
  ]);
});

test('input of Anthropic is without the cache, which is added to it, in JSON as in the CSV of the console', () => {
  const told = { input: 3200n, cached: 200n, cacheWrite: 1500n, output: 300n };
  assert.deepEqual(gather(anthropicPage([messages])).lines[0]?.told, told);
  const bill = gather(consoleCsv);
  assert.deepEqual(bill.lines[0]?.told, told);
  assert.equal(bill.lines[1]?.apiKey, 'other, key');
  assert.equal(bill.measures.includes('requests'), false);
});

test('a plain file tells what it has columns for', () => {
  const { lines, measures } = gather(plainCsv);
  assert.deepEqual(lines[0]?.told, { requests: 5n, input: 1000n, cached: 800n, output: 500n });
  assert.deepEqual(measures, ['requests', 'input', 'cached', 'output']);
  const without = gather(
    '\ufeffday,model,requests,input_tokens,output_tokens,cost\r\n2026-03-03,m,5,10,2,0.5',
  );
  assert.deepEqual(without.measures, ['requests', 'input', 'output']);
});

test('pages of hours add up to their day, and several pages of one list are one bill', () => {
  const hour = (n: number) => ({
    object: 'bucket',
    start_time: march3 + n * 3600,
    end_time: march3 + (n + 1) * 3600,
    results: [completions],
  });
  const pages = [
    { ...openAiPage([]), data: [hour(0), hour(1)], has_more: true },
    { ...openAiPage([]), data: [hour(2)] },
  ];
  const bill = gather(pages);
  assert.equal(bill.lines.length, 3);
  assert.deepEqual(bill.spans.get('chat'), { startMs: march3 * 1000, endMs: (march3 + 3 * 3600) * 1000 });
});

test('the same usage given twice is refused by name, and usage of another key is not the same', () => {
  const page = openAiPage([completions]);
  refused(
    () => gatherBill([...read(page), ...read(page, undefined, 'again')]),
    /`bill` and `again` both have `gpt-x-2026-01-01` of 2026-03-03/,
  );
  refused(() => gather(plainCsv + plainCsv.slice(plainCsv.indexOf('2026'))), /has `m` of 2026-03-03 twice/);
  const keys = ['a', 'b'].map((api_key_id) => ({ ...completions, api_key_id }));
  assert.equal(gather(openAiPage(keys)).lines.length, 2);
  assert.equal(gather(openAiPage(keys), { keys: ['a'] }).lines.length, 1);
  refused(() => gather(openAiPage(keys), { keys: ['c'] }), /no line of the bill is of the key `c`/);
  refused(() => gather(page, { keys: ['a'] }), /`group_by` `api_key_id`/);
});

test('what would be compared wrongly is refused with what to do', () => {
  refused(
    () => gather(openAiPage([completions], { has_more: true })),
    /fetch the page that its `next_page` names/,
  );
  refused(() => gather(openAiPage([{ ...completions, model: null }])), /`data.0.results.0` names no model/);
  refused(
    () => gather(openAiPage([{ ...completions, input_tokens: 1.5 }])),
    /`data.0.results.0.input_tokens`/,
  );
  const week = { start_time: march3, end_time: march3 + 7 * daySeconds, results: [completions] };
  refused(() => gather({ ...openAiPage([]), data: [week] }), /more than one UTC day/);
  refused(() => gatherBill([...read(plainCsv), ...read(openAiPage([completions]))]), /several forms/);
  refused(() => gather(openAiPage([])), /nothing was used: say of which report with `--format`/);
  refused(() => gather(plainCsv, { fromMs: Date.UTC(2026, 3, 1) }), /nothing from 2026-04-01 on/);
  refused(() => gather('day,model,requests,input_tokens,output_tokens\n'), /has no line and no bucket/);
  refused(() => gatherBill(read([], 'openai-completions')), /no page of a usage report/);
  const late = { start_time: 2 ** 50, end_time: 2 ** 50 + 1, results: [completions] };
  refused(() => gather({ ...openAiPage([]), data: [late] }), /`data.0.start_time` must be at most/);
});

test('a file that is no bill is said to be none, with the line or the member that is wrong', () => {
  refused(() => read('<html>'), /`bill` is no bill that can be read: read are usage reports/);
  refused(() => read({ error: { message: 'no' } }), /an error that the provider answered with/);
  refused(() => read({ object: 'chat.completion' }), /it is a `chat.completion`/);
  refused(() => read(openAiPage([{ object: 'organization.costs.result' }])), /no bill that can be read/);
  refused(() => read({ data: 1 }, 'openai-completions'), /`data` is of another kind: give a list/);
  refused(() => read('day,model,requests,input_tokens\n'), /has no column `output_tokens`/);
  const columns = 'day,model,requests,input_tokens,output_tokens';
  refused(() => read(`${columns},spend\n`), /the column `spend`, which is none of `day`/);
  refused(() => read(`${columns}\n2026-02-31,m,1,1,1\n`), /line 2 has `2026-02-31` under `day`/);
  refused(() => read(`${columns}\n2026-03-03,m,1,1.0,1\n`), /line 2 has `1.0` under `input_tokens`/);
  refused(() => read(`${columns}\n2026-03-03,m,1,1\n`), /line 2 has 4 cells/);
  refused(() => read(`${columns},cached_tokens\n2026-03-03,m,1,1,1,2\n`), /more `cached_tokens` than/);
  refused(() => read(`${columns}\n"2026-03-03,m,1,1,1\n`), /a quote is not closed/);
});

test('a report in which nothing was used is one, where its form is given, and days can be stated', () => {
  const empty = gatherBill(read(openAiPage([]), 'openai-completions'));
  assert.deepEqual([empty.lines.length, empty.spans.has('chat')], [0, true]);
  const none = gather('day,model,requests,input_tokens,output_tokens\n', {
    fromMs: march3 * 1000,
    toMs: march3 * 1000,
  });
  assert.deepEqual(none.spans.get('chat'), {
    startMs: march3 * 1000,
    endMs: (march3 + daySeconds) * 1000,
  });
});
