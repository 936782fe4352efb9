// Claims about `ledger reconcile`: an export of a real server beside what its provider really served.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Ran, runCli } from '@countersign/cli/run-cli';
import { isObject } from '@countersign/core/json';
import { startGateway, type TestGateway, until } from '../../support/gateway.ts';
import {
  answerAs,
  beginStream,
  chatEvents,
  plainly,
  type Said,
  type Script,
  sendJson,
} from '../../support/provider-answers.ts';

const dayMs = 86_400_000;
/** Yesterday, so that a test at midnight has both days in its bill. */
const start = Math.floor(Date.now() / dayMs) * dayMs - dayMs;
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

type Served = { readonly model: string; readonly at: number; readonly said: Said };

/** What is used at the provider without the gateway. */
const beside: Said = { ...plainly, input: 33, output: 44, model: 'm-2026' };

let running: TestGateway;
let room: string;
const served: Served[] = [];

/** The provider's own books: an answer is counted where it is given. */
function serve(said: Said): Script {
  const script = answerAs(said);
  return (asked, response) => {
    served.push({ model: said.model, at: Date.now(), said });
    return script(asked, response);
  };
}

before(async () => {
  running = await startGateway();
  room = mkdtempSync(join(tmpdir(), 'countersign-reconcile-'));
});
after(async () => {
  await running.stop();
  rmSync(room, { recursive: true, force: true });
});

/** A page of OpenAI's usage report of yesterday, today and tomorrow. */
function completionsPage(of: readonly Served[] = served): object {
  const data = [0, 1, 2].map((n) => {
    const [from, to] = [start + n * dayMs, start + (n + 1) * dayMs];
    const inDay = of.filter(({ at }) => at >= from && at < to);
    const results = [...Map.groupBy(inDay, ({ model }) => model)].map(([model, list]) => {
      const sum = (name: 'input' | 'output' | 'cached') =>
        list.reduce((all, { said }) => all + said[name], 0);
      return {
        object: 'organization.usage.completions.result',
        num_model_requests: list.length,
        input_tokens: sum('input'),
        input_cached_tokens: sum('cached'),
        output_tokens: sum('output'),
        api_key_id: null,
        model,
      };
    });
    return { object: 'bucket', start_time: from / 1000, end_time: to / 1000, results };
  });
  return { object: 'page', data, has_more: false, next_page: null };
}

function keep(name: string, content: object | string): string {
  const file = join(room, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

let exports = 0;

async function exported(): Promise<string> {
  exports += 1;
  const directory = join(room, `export-${exports}`);
  const env = { COUNTERSIGN_URL: running.url, COUNTERSIGN_KEY: running.managementKey };
  const ran = await runCli(['ledger', 'export', directory], env);
  assert.equal(ran.code, 0, ran.err);
  return directory;
}

/** All that was served but the call beside the gateway, which is known by its input. */
const throughGateway = (): readonly Served[] => served.filter(({ said }) => said.input !== beside.input);

const reconcile = (directory: string, bill: string, ...more: string[]): Promise<Ran> =>
  runCli(['ledger', 'reconcile', directory, '--bill', bill, '--provider', 'fake', ...more]);

const ask = (content: string, more: object = {}) => ({
  model: 'm',
  max_tokens: 50,
  messages: [{ role: 'user', content }],
  ...more,
});

async function calls(): Promise<void> {
  running.provider.answer(serve({ ...plainly, model: 'm-2026', cached: 5 }));
  for (const word of ['one', 'two']) assert.equal((await running.call({ body: ask(word) })).status, 200);
  const stream = { stream: true, stream_options: { include_usage: true } };
  assert.equal((await running.call({ body: ask('three', stream) })).status, 200);
  running.provider.answer(serve({ ...plainly, input: 40, model: 'other' }));
  const answered = await running.call({ path: '/v1/responses', body: { model: 'm', input: 'four' } });
  assert.equal(answered.status, 200);
  // The other provider's calls are none of this bill's.
  running.provider.answer(answerAs());
  assert.equal((await running.call({ path: '/v1/messages', body: ask('five', { model: 'c' }) })).status, 200);
}

test('a bill of what the provider served has no difference; a call beside the gateway and a lost day have', async () => {
  await calls();
  const directory = await exported();
  const bill = keep('completions.json', completionsPage());
  const same = await reconcile(directory, bill);
  assert.equal(same.code, 0, same.out + same.err);
  assert.match(same.out, /^no difference: calls to `fake` and its bill, /m);
  assert.match(same.out, /^all +m-2026 +3 +3 +0 +36 +36 +0 +15 +15 +0 /m);
  assert.match(same.out, /^verified: \d+ entries/m);

  running.provider.answer(serve(beside));
  const direct = await fetch(`${running.provider.origin}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(ask('beside')),
  });
  assert.equal(direct.status, 200);
  const more = await reconcile(directory, keep('more.json', completionsPage()));
  assert.equal(more.code, 1);
  assert.match(
    more.out,
    /billed but not recorded: 1 request, 33 input tokens and 44 output tokens of `m-2026` (on|over)/,
  );
  assert.match(more.out, /somebody uses the provider's key beside the gateway/);
  assert.match(more.out, /^DIFFERENT: /m);

  const none = await reconcile(
    directory,
    keep('less.json', completionsPage([])),
    '--format',
    'openai-completions',
  );
  assert.equal(none.code, 1);
  assert.match(none.out, /recorded but not billed: 3 requests, 36 input tokens/);
});

test('a plain file of days agrees too, as JSON and as CSV, and a day taken out of it is named', async () => {
  const directory = await exported();
  const lines = [...Map.groupBy(throughGateway(), ({ model, at }) => `${dayOf(at)},${model}`)].map(
    ([key, list]) => {
      const sum = (name: 'input' | 'output') => list.reduce((all, { said }) => all + said[name], 0);
      return `${key},${list.length},${sum('input')},${sum('output')}\n`;
    },
  );
  const header = 'day,model,requests,input_tokens,output_tokens\n';
  const range = ['--from', dayOf(start), '--to', dayOf(start + 2 * dayMs)];
  const bill = keep('plain.csv', header + lines.join(''));
  const json: unknown = JSON.parse((await reconcile(directory, bill, ...range, '--json')).out);
  assert.ok(isObject(json) && json.ok === true && Array.isArray(json.all));
  assert.deepEqual(
    json.all.map((row: unknown) => isObject(row) && [row.model, row.recorded, row.difference]),
    [
      [
        'm-2026',
        { requests: 3, input: 36, cached: 15, cacheWrite: 0, output: 21 },
        { requests: 0, input: 0, output: 0 },
      ],
      [
        'other',
        { requests: 1, input: 40, cached: 0, cacheWrite: 0, output: 7 },
        { requests: 0, input: 0, output: 0 },
      ],
    ],
  );
  const csv = await reconcile(directory, bill, ...range, '--csv');
  assert.match(
    csv.out,
    /^day,model,verdict,requests.recorded,requests.billed,requests.difference,input.recorded/,
  );
  assert.match(csv.out, /\r\nall,other,agrees,1,1,0,40,40,0,0,,,0,,,7,7,0,1,0,0\r\n$/);
  const cut = await reconcile(directory, keep('cut.csv', header), ...range);
  assert.equal(cut.code, 1);
  assert.match(cut.out, /recorded but not billed: 1 request, 40 input tokens and 7 output tokens of `other`/);
});

test('calls whose usage is estimated or unknown are named apart, and cannot be told from what they may have used', async () => {
  running.provider.answer(async (_asked, response) => {
    beginStream(response);
    for (const one of chatEvents({ ...plainly, text: 'word '.repeat(40), model: 'm-2026' }).slice(0, 20))
      response.write(one);
  });
  let left = 0;
  await running.call({
    body: ask('leave', { stream: true }),
    onChunk: (_chunk, leave) => {
      left += 1;
      leave();
    },
  });
  assert.ok(left > 0 && (await until(() => running.provider.aborted() > 0)));
  running.provider.answer((_asked, response) => sendJson(response, '{"error":{"message":"no"}}', 400));
  assert.equal((await running.call({ body: ask('bad') })).status, 400);
  const honest = throughGateway();
  const bill = keep('unsure.json', completionsPage(honest));
  let ran: Ran | undefined;
  // The outcome of a call that was left is recorded a moment after its caller has gone.
  await until(async () => {
    ran = await reconcile(await exported(), bill);
    return ran.out.includes('with an estimated usage');
  });
  assert.equal(ran?.code, 0, ran?.out);
  assert.match(ran.out, /^no difference beyond what cannot be told: /m);
  assert.match(ran.out, /^1 call with an estimated usage: up to what was reserved/m);
  assert.match(ran.out, /^1 call without a usage /m);
  const cut = { model: 'm-2026', at: Date.now(), said: { ...plainly, input: 6, output: 41 } };
  const counted = await reconcile(await exported(), keep('counted.json', completionsPage([...honest, cut])));
  assert.equal(counted.code, 0, counted.out);
  const more = { ...cut, said: { ...plainly, input: 9_000, output: 9_000 } };
  const beyond = await reconcile(await exported(), keep('beyond.json', completionsPage([...honest, more])));
  assert.equal(beyond.code, 1);

  assert.match(beyond.out, /billed but not recorded: \d+ input tokens and \d+ output tokens of `m-2026`/);
});

test("Anthropic's report, whose input is without the cache and which counts no requests, agrees", async () => {
  running.provider.answer(answerAs({ ...plainly, input: 30, cached: 20, model: 'claude-2026' }));
  const called = await running.call({ path: '/v1/messages', body: ask('six', { model: 'c' }) });
  assert.equal(called.status, 200);
  const result = (model: string, uncached: number, cached: number) => ({
    model,
    uncached_input_tokens: uncached,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    cache_read_input_tokens: cached,
    output_tokens: plainly.output,
    api_key_id: 'apikey_1',
  });
  const time = (ms: number): string => new Date(ms).toISOString();
  const page = (uncached: number) => {
    const results = [result(plainly.model, plainly.input, 0), result('claude-2026', uncached, 20)];
    const data = [0, 1, 2].map((n) => ({
      starting_at: time(start + n * dayMs),
      ending_at: time(start + (n + 1) * dayMs),
      results: n === 1 ? results : [],
    }));
    return { data, has_more: false, next_page: null };
  };
  const compared = async (bill: object): Promise<Ran> => {
    const file = keep('messages.json', bill);
    const words = ['--bill', file, '--provider', 'claude', '--bill-key', 'apikey_1'];
    return runCli(['ledger', 'reconcile', await exported(), ...words]);
  };
  const same = await compared(page(10));
  assert.equal(same.code, 0, same.out);
  assert.match(same.out, /^all +claude-2026 +30 +30 +0 +20 +20 +0 +0 +0 +0 +7 +7 +0 /m);
  assert.match(same.out, /^this bill counts no requests: /m);
  const more = await compared(page(11));
  assert.equal(more.code, 1);
  assert.match(more.out, /billed but not recorded: 1 input token of `claude-2026` /);
});

test('what cannot be compared is refused with what to do', async () => {
  const directory = await exported();
  const bill = keep('again.json', completionsPage());
  const several = await runCli(['ledger', 'reconcile', directory, '--bill', bill]);
  assert.equal(several.code, 2);
  assert.match(several.err, /^the records have calls to `claude`, `fake`: say whose bill it is with `--prov/);
  const none = await reconcile(directory, keep('none.json', '<html>'));
  assert.equal(none.code, 2);
  assert.match(none.err, /none\.json` is no bill that can be read: read are usage reports/);
  const missing = await reconcile(directory, join(room, 'missing.json'));
  assert.deepEqual([missing.code, /cannot be read \(ENOENT\)/.test(missing.err)], [2, true]);
  const words: readonly (readonly [string[], RegExp])[] = [
    [['--from', 'march'], /`--from` takes a UTC day/],
    [['--from', '2026-03-02', '--to', '2026-03-01'], /`--to` 2026-03-01 lies before/],
    [['--model', 'm'], /`--model` takes two names/],
    [['--tolerance', '1e3'], /`--tolerance` takes percent/],
    [['--format', 'pdf'], /`--format` takes one of `openai-completions`/],
    [['--bill', bill], /`--bill` names `.*` twice/],
  ];
  for (const [more, message] of words) {
    const ran = await reconcile(directory, bill, ...more);
    assert.equal(ran.code, 2, more.join(' '));
    assert.match(ran.err, message);
  }
  writeFileSync(join(directory, 'checkpoint'), 'none\n');
  const edited = await reconcile(directory, bill);
  assert.equal(edited.code, 1);
  assert.match(edited.out, /^NOT VERIFIED: /);
});
