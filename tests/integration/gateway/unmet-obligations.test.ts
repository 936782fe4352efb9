// Claims about obligations that a call gives no place to be met: it is refused, and its record says by which decision.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { codeOf, startGateway, type TestGateway } from '../../support/gateway.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
  await running.must('POST', '/models', { name: 'inner', providerId: running.providerId });
});
after(async () => {
  await running.stop();
});

test('an obligation that cannot be met on a call refuses it, recorded with the decision that asks for it', async () => {
  await running.publish('@id("to-inner") @model("inner") permit (principal, action, resource);');
  const before = running.provider.dispatched();
  const form = '--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nm\r\n--x--\r\n';
  const transcribed = await running.call({
    path: '/providers/fake/v1/audio/transcriptions',
    headers: ['content-type', 'multipart/form-data; boundary=x'],
    body: form,
  });
  assert.deepEqual([transcribed.status, codeOf(transcribed)], [403, 'policy_denied'], transcribed.text);
  await running.publish('@id("cut") @redact("email") permit (principal, action, resource);');
  const key = { type: 'object', properties: { 'a@b.example': { type: 'string' } } };
  const tools = [{ type: 'function', function: { name: 'f', parameters: key } }];
  const unredactable = await running.call({
    body: { model: 'm', messages: [{ role: 'user', content: 'x' }], tools },
  });
  assert.deepEqual([unredactable.status, codeOf(unredactable)], [403, 'policy_denied'], unredactable.text);
  assert.equal(running.provider.dispatched(), before);
  for (const answer of [transcribed, unredactable]) {
    const entry: unknown = JSON.parse(textAt(await running.record(answer.record()), 'entries.0.text'));
    assert.deepEqual(
      [at(entry, 'status'), at(entry, 'policy.decision'), at(entry, 'policy.reason'), at(entry, 'reserved')],
      ['refused', 'allow', 'obligation_unmet', undefined],
    );
  }
});
