// Claims about P3: nothing leaves before its record, and nothing ends before what became of it is recorded.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { codeOf, startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { entriesOnDisk, failDatabase, whileNothingCommits } from '../../support/ledger-on-disk.ts';
import {
  chatEvents,
  chatJson,
  messageEvents,
  responseEvents,
  sendEvents,
  sendJson,
} from '../../support/provider-answers.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
});
after(async () => {
  await running.stop();
});
beforeEach(() => {
  running.provider.answer();
  running.provider.onArrival(undefined);
});

const ofPhase = (phase: string) => entriesOnDisk(running).filter((entry) => at(entry, 'phase') === phase);
const stream = { model: 'm', stream: true, messages: [{ role: 'user', content: 'hello' }] };

const pause = (ms: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
  });

test('the intent is on the disk when the first byte reaches the provider, the outcome when the answer ends', async () => {
  let atArrival: readonly unknown[] = [];
  running.provider.onArrival(() => {
    atArrival = entriesOnDisk(running);
  });
  for (const body of [stream, { ...stream, stream: false }]) {
    const answer = await running.call({ body });
    const atEnd = entriesOnDisk(running);
    const mine = atArrival.filter((entry) => at(entry, 'id') === answer.record());
    assert.deepEqual(
      mine.map((entry) => at(entry, 'phase')),
      ['intent'],
    );
    const closes = (entries: readonly unknown[]) =>
      entries.filter((entry) => at(entry, 'intent') === answer.record()).length;
    assert.equal(closes(atArrival), 0);
    assert.equal(closes(atEnd), 1);
  }
});

test('a checkpoint that is asked for covers every call that was answered before', async () => {
  for (let i = 0; i < 3; i += 1) {
    await running.call({ body: stream });
    const [, size] = textAt(await running.must('GET', '/ledger/checkpoint'), 'checkpoint').split('\n');
    assert.equal(Number(size), entriesOnDisk(running).length);
  }
});

test('no byte leaves while the intent waits for its commit', async () => {
  const before = running.provider.dispatched();
  await whileNothingCommits(running, async (free) => {
    const pending = running.call({});
    await pause(250);
    assert.equal(running.provider.dispatched(), before);
    free();
    assert.equal((await pending).status, 200);
  });
  assert.equal(running.provider.dispatched(), before + 1);
});

const terminals = [
  { path: '/v1/chat/completions', model: 'm', events: chatEvents(), terminal: '"finish_reason":"stop"' },
  { path: '/v1/messages', model: 'c', events: messageEvents(), terminal: 'message_stop' },
  { path: '/v1/responses', model: 'm', events: responseEvents(), terminal: 'response.completed' },
];
for (const { path, model, events, terminal } of terminals) {
  test(`${path}: the text of a stream passes, its terminal event waits for the outcome's commit`, async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    running.provider.answer(async (_asked, response) => {
      begin();
      await gate;
      await sendEvents(response, events);
    });
    let seen = '';
    const onChunk = (chunk: Buffer): void => {
      seen += chunk.toString('utf8');
    };
    const body = { ...stream, model, max_tokens: 50, input: 'hello' };
    const pending = running.call({ path, body, onChunk });
    await begun;
    await whileNothingCommits(running, async (free) => {
      open();
      assert.ok(await until(() => seen.includes('auditor.')), 'text passes before the outcome');
      await pause(250);
      assert.ok(!seen.includes(terminal), 'the terminal event is held');
      free();
      await pending;
    });
    assert.ok(seen.includes(terminal));
    assert.equal((await pending).text, events.join(''));
  });
}

test('no byte of a whole answer reaches the client before the outcome is durable', async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  running.provider.answer(async (_asked, response) => {
    begin();
    await gate;
    sendJson(response, chatJson());
  });
  let isAnswered = false;
  const pending = running.call({}).finally(() => {
    isAnswered = true;
  });
  await begun;
  await whileNothingCommits(running, async (free) => {
    open();
    await pause(300);
    assert.equal(isAnswered, false);
    free();
  });
  assert.equal((await pending).text, chatJson());
});

test('a denial is recorded before it is told', async () => {
  const body = {
    ...stream,
    stream: false,
    messages: [{ role: 'user', content: 'CUI//SP-CTI\nlaunch plans' }],
  };
  await whileNothingCommits(running, async (free) => {
    let isAnswered = false;
    const pending = running.call({ body }).finally(() => {
      isAnswered = true;
    });
    await pause(250);
    assert.equal(isAnswered, false);
    free();
    const answer = await pending;
    assert.equal(answer.status, 403);
    assert.equal(codeOf(answer), 'policy_denied');
    const [entry] = entriesOnDisk(running).filter((one) => at(one, 'id') === answer.record());
    assert.equal(at(entry, 'status'), 'denied');
    assert.equal(at(entry, 'policy.decision'), 'deny');
  });
});

const readiness = async (): Promise<number> => (await fetch(`${running.url}/readyz`)).status;

test('a ledger that cannot write answers 503, dispatches nothing, and recovers by itself', async () => {
  const heal = await failDatabase(running);
  const before = running.provider.dispatched();
  try {
    for (const body of [stream, { ...stream, stream: false }, { ...stream, model: 'nobody-has-this' }]) {
      const answer = await running.call({ body });
      assert.equal(answer.status, 503);
      assert.equal(codeOf(answer), 'ledger_unavailable');
      assert.ok(!answer.text.includes('disk is full'), 'a 5xx tells no details');
    }
    assert.equal(await readiness(), 503, 'whoever asks for health sends it no calls');
  } finally {
    heal();
  }
  assert.ok(await until(async () => (await readiness()) === 200, 8_000), 'without a call');
  assert.equal(running.provider.dispatched(), before);
  assert.equal((await running.call({})).status, 200);
  assert.equal(textAt(await running.must('GET', '/organization'), 'slug'), 'acme');
});

test('an answer whose outcome cannot be written never ends as if it were', async () => {
  const outcomes = ofPhase('outcome').length;
  let heal = (): void => {};
  running.provider.answer(async (_asked, response) => {
    heal = await failDatabase(running);
    await sendEvents(response, chatEvents());
  });
  try {
    const answer = await running.call({ body: stream });
    assert.ok(!answer.text.includes('"finish_reason":"stop"'));
    assert.ok(!answer.text.includes('[DONE]'));
    assert.ok(answer.text.includes('ledger_unavailable'));
    assert.equal(ofPhase('outcome').length, outcomes);
  } finally {
    heal();
  }
  running.provider.answer(async (_asked, response) => {
    sendJson(response, chatJson());
  });
  assert.equal((await running.call({})).status, 200);
});

test('ids that no database can hold, in what a provider answers, keep no record from being written', async () => {
  const content = ['a\u0000', '\ud800'].map((file_id) => ({ type: 'file', file_id }));
  running.provider.answer((_asked, response) => {
    const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    sendJson(
      response,
      JSON.stringify({ id: 'chatcmpl-\u0000', object: 'chat.completion', model: 'm', choices, usage }),
    );
  });
  const answer = await running.call({ body: { ...stream, stream: false, store: true } });
  assert.equal(answer.status, 200);
  running.provider.answer();
  assert.equal((await running.call({})).status, 200);
  assert.equal(textAt(await running.record(answer.record()), 'status'), 'ok');
});
