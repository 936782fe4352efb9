// Claims about what is held of an answer until its end: how much it may be, what is committed to, and what goes no further.

import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import { isId } from '@countersign/core/ids';
import { type Person, startGateway, type TestGateway } from '../../support/gateway.ts';
import { entriesOnDisk } from '../../support/ledger-on-disk.ts';
import { chatEvents, chatJson } from '../../support/provider-answers.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
let bob: Person;
before(async () => {
  running = await startGateway();
  bob = await running.person('bob');
  await running.must('PATCH', '/organization', { contentMode: 'sealed' });
});
after(async () => {
  await running.stop();
});

const chat = { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'hello' }] };

/** The provider answers with these pieces, as fast as they are taken. */
function send(status: number, type: string, pieces: readonly (string | Buffer)[]): void {
  running.provider.answer(async (_asked, response) => {
    response.writeHead(status, { 'content-type': type });
    // Whoever asked may have had enough of it.
    await pipeline(Readable.from(pieces.map((piece) => Buffer.from(piece))), response).catch(() => undefined);
  });
}

const call = (body: object = chat) => running.call({ key: bob.key, body });

for (const [how, status] of [
  ['refuses its key', 401],
  ['fails', 500],
] as const) {
  test(`a provider that ${how} and repeats the key in its answer is not passed on, nor is the key kept`, async () => {
    const said = { error: { message: 'incorrect API key provided: sk-fake-provider-key.' } };
    send(status, 'application/json', [JSON.stringify(said).slice(0, 60), JSON.stringify(said).slice(60)]);
    const answer = await call();
    assert.equal(answer.status, 502, answer.text);
    assert.ok(!answer.text.includes('sk-fake-provider-key'), answer.text);
    const record = await running.record(answer.record());
    assert.deepEqual([at(record, 'status'), at(record, 'error')], ['failed', 'upstream_invalid']);
    const opened = await running.must('POST', `/records/${answer.record()}/content`, {
      reason: 'incident 4711, asked by legal',
    });
    assert.equal(at(opened, 'response'), undefined);
    assert.ok(JSON.stringify(opened).includes('hello'), 'what was asked is there');
  });
}

test('a provider that goes on without end behind the end of its stream is left, and its call has failed', async () => {
  const filler = `: ${'x'.repeat(16_000)}\n\n`;
  send(200, 'text/event-stream', [...chatEvents(), ...Array<string>(200).fill(filler)]);
  const answer = await call({ ...chat, stream: true });
  assert.ok(answer.text.includes('upstream_invalid'), answer.text.slice(-300));
  assert.ok(answer.body.length < 100_000, 'nothing of what was behind the end has passed');
  const record = await running.record(answer.record());
  assert.deepEqual([at(record, 'status'), at(record, 'error')], ['failed', 'upstream_invalid']);
});

test('what is no UTF-8 is no answer, however long it is', async () => {
  for (const length of [10, 200_000]) {
    const json = chatJson().replace('Hello', `Hello${'x'.repeat(length)}#`);
    const bytes = Buffer.from(json, 'utf8');
    bytes[bytes.indexOf('#')] = 0xff;
    send(200, 'application/json', [bytes]);
    const answer = await call();
    assert.equal(answer.status, 502, `${length}`);
    const record = await running.record(answer.record());
    assert.deepEqual([at(record, 'status'), at(record, 'error')], ['failed', 'upstream_invalid']);
  }
});

test('a long answer is committed to as a short one, from its first byte to its last', async () => {
  const { organizationId } = running;
  if (!isId('org', organizationId) || !isId('user', bob.id)) throw new TypeError('no person');
  const key = await running.server.gateway.deps.subjectKey(organizationId, bob.id);
  assert.ok(key !== undefined);
  const json = chatJson().replace('Hello', `Hello${'y'.repeat(300_000)}`);
  const cuts = [0, 1_000, 50_000, 70_000, 150_000, json.length];
  send(
    200,
    'application/json',
    cuts.slice(1).map((end, i) => json.slice(cuts[i], end)),
  );
  const answer = await call();
  assert.deepEqual([answer.status, answer.text === json], [200, true]);
  const salt = createHmac('sha256', key.object).update(`${answer.record()}\u0000response`).digest();
  const outcome = entriesOnDisk(running).find((entry) => at(entry, 'intent') === answer.record());
  assert.equal(
    textAt(outcome, 'content.resp_c'),
    createHash('sha256').update(salt).update(answer.body).digest('hex'),
  );
});
