// Claims about P7: a revocation holds for every request whose intent commits after it, and running streams are cut.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isId } from '@countersign/core/ids';
import { serveInference } from '@countersign/server/gateway/inference';
import { makeKey, makeToken } from '@countersign/server/services/authn/sample-issuer';
import { chatCall, countingUpstream } from '../../support/call-in-process.ts';
import { startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { countOf, figuresLine, tellProgress } from '../../support/long-run.ts';
import { beginStream, chatEvents } from '../../support/provider-answers.ts';
import { assertReplays } from '../../support/replayed-store.ts';
import { callsPerRace, raceRevocations } from '../../support/revocation-races.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
});
after(async () => {
  await running.stop();
});

const races = Math.ceil(countOf('COUNTERSIGN_INTERLEAVINGS', 600, 10_000) / callsPerRace);
const interleavings = races * callsPerRace;

test(`a revocation between decision and intent is honoured: ${interleavings} interleavings`, async (t) => {
  const onRace = (over: number): void => {
    if (over % 100 === 0) tellProgress(`${over * callsPerRace} of ${interleavings} interleavings`);
  };
  const { late, totals, dispatched, stale } = await raceRevocations(running, races, { onRace });
  t.diagnostic(
    figuresLine('interleavings', { interleavings, late: late.length, dispatched, stale, ...totals }),
  );
  assert.deepEqual(late, [], 'dispatched on an intent that stands behind the revocation');
  assert.equal(totals.other, 0, 'refused for another reason');
  assert.equal(dispatched, totals.allowed + totals.cut, 'each was dispatched once');
  // The races are worth nothing unless both sides win some, and some decisions were retaken.
  assert.ok(totals.allowed > races / 4, `allowed ${totals.allowed}`);
  assert.ok(totals.refused > races, `refused ${totals.refused}`);
  assert.ok(stale > races / 4, `stale ${stale}`);
});

test('a commit that compares no version is noticed by the races, and by the replay of its log', async () => {
  const broken = await startGateway();
  try {
    const { late } = await raceRevocations(broken, 20, { isBroken: true });
    assert.ok(late.length > 0);
    await assert.rejects(assertReplays({ kind: 'sqlite', directory: broken.directory }), /not replay/i);
  } finally {
    await broken.stop('damaged');
  }
});

const streaming = { model: 'm', stream: true, messages: [{ role: 'user', content: 'go on' }] };

/** A stream that goes on until someone ends it; tells when its first text has arrived. */
function openStream(key: string) {
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const answer = running.call({ key, body: streaming, onChunk: () => resolve() });
  return { begun, answer };
}

function answerEndlessly(): void {
  const [event = ''] = chatEvents();
  running.provider.answer((_asked, response) => {
    beginStream(response);
    const timer = setInterval(() => response.write(event), 20);
    response.on('close', () => clearInterval(timer));
  });
}

const causes: readonly {
  readonly name: string;
  readonly end: (who: { readonly id: string; readonly keyId: string }) => Promise<unknown>;
}[] = [
  { name: 'its key is revoked', end: ({ keyId }) => running.must('POST', `/keys/${keyId}/revoke`, {}) },
  {
    name: 'its owner is suspended',
    end: ({ id }) => running.must('PATCH', `/users/${id}`, { status: 'suspended' }),
  },
  {
    name: 'its key is rotated without overlap',
    end: ({ keyId }) => running.must('POST', `/keys/${keyId}/rotate`, { overlapSeconds: 0 }),
  },
];
for (const [i, { name, end }] of causes.entries()) {
  test(`running streams are cut within a second when ${name}, and recorded as cut (FAULTS 21)`, async () => {
    answerEndlessly();
    const person = await running.person(`streamer-${i}`);
    const streams = Array.from({ length: 5 }, () => openStream(person.key));
    const other = openStream(running.modelsKey);
    await Promise.all([...streams, other].map(({ begun }) => begun));
    const aborted = running.provider.aborted();
    const started = performance.now();
    await end(person);
    const answers = await Promise.all(streams.map(({ answer }) => answer));
    const took = performance.now() - started;
    assert.ok(took < 1_000, `cut after ${Math.round(took)} ms`);
    assert.ok(await until(() => running.provider.aborted() === aborted + 5), 'the provider is left too');
    for (const answer of answers) {
      assert.ok(!answer.text.includes('[DONE]'));
      assert.ok(answer.text.includes('authentication_failed'), 'the stream says why it ends');
      const record = await running.record(answer.record());
      assert.equal(textAt(record, 'status'), 'cut');
      assert.equal(textAt(record, 'usage.source'), 'estimated');
      assert.ok(Number(at(record, 'usage.output')) > 0);
    }
    let isOver = false;
    void other.answer.finally(() => {
      isOver = true;
    });
    await running.must('GET', '/organization');
    assert.equal(isOver, false, "another's stream goes on");
    running.provider.answer();
    await running.must('GET', '/organization');
    await endOf(other);
  });
}

/** Ends the owner's own stream from the provider's side by closing it. */
async function endOf(stream: ReturnType<typeof openStream>): Promise<void> {
  running.provider.dropAll();
  await stream.answer;
}

test('a key that is revoked when its call is recorded and nobody watches over it yet cuts that call', async () => {
  const { id, key } = await running.keyFor({});
  const sent: string[] = [];
  const { deps } = running.server.gateway;
  const held = {
    ...deps,
    upstreamOf: () => countingUpstream((body) => void sent.push(body)),
    providerKeyOf: async () => {
      const version = at(await running.must('GET', '/organization'), 'version');
      await running.must('POST', `/keys/${id}/revoke`, {});
      const { organizationId } = running;
      if (isId('org', organizationId)) await deps.snapshots.catchUp(organizationId, Number(version) + 1);
      return undefined;
    },
  };
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] });
  const { call, reply, done } = chatCall(key, body, (count) => new Uint8Array(count).fill(9));
  await serveInference(held, call, reply);
  const { refused, headers } = await done;
  assert.equal(refused, 'authentication_failed');
  const record = await running.record(headers[headers.indexOf('x-countersign-record') + 1] ?? '');
  assert.equal(textAt(record, 'status'), 'cut');
});

test('the stream of an agent is cut when its owner is suspended, and its key stops', async () => {
  answerEndlessly();
  const person = await running.person('agent-owner');
  const agent = { name: 'helper', workspaceId: running.workspaceId, ownerId: person.id };
  const agentId = textAt(await running.must('POST', '/agents', agent), 'id');
  const { key } = await running.keyFor({ principalId: agentId });
  const stream = openStream(key);
  await stream.begun;
  await running.must('PATCH', `/users/${person.id}`, { status: 'suspended' });
  const answer = await stream.answer;
  assert.equal(textAt(await running.record(answer.record()), 'status'), 'cut');
  running.provider.answer();
  assert.equal((await running.call({ key })).status, 401);
});

test('an answer whose token ends by itself goes on, whatever else is changed meanwhile', async () => {
  const signing = makeKey('ES256', 'k1');
  const issuer = 'https://idp.example/';
  const made = await running.must('POST', '/token-issuers', {
    ...{ name: 'corp', issuer, keys: { kind: 'jwks', jwks: { keys: [signing.jwk] } } },
    ...{ algorithms: ['ES256'], claims: { subject: 'sub' }, requiredClaims: {}, roleMap: {}, teamMap: {} },
    ...{ justInTime: true, workspaceId: running.workspaceId, maxTokenAgeSeconds: 3600 },
  });
  // Clocks may differ by a minute: this token ends in two seconds.
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: textAt(made, 'audience'), sub: 'alice', iat: now - 300, exp: now - 58 };
  const token = makeToken(signing, claims);
  answerEndlessly();
  const stream = openStream(token);
  await stream.begun;
  running.provider.answer();
  assert.ok(await until(async () => (await running.call({ key: token })).status === 401, 5_000));
  let isOver = false;
  void stream.answer.finally(() => {
    isOver = true;
  });
  await running.must('POST', '/teams', { name: 'unrelated', workspaceId: running.workspaceId });
  await running.must('GET', '/organization');
  assert.equal(isOver, false, 'the team has nothing to do with it');
  await running.must('PATCH', `/token-issuers/${textAt(made, 'id')}`, { status: 'suspended' });
  const answer = await stream.answer;
  assert.equal(textAt(await running.record(answer.record()), 'status'), 'cut', 'a revocation still cuts it');
});
