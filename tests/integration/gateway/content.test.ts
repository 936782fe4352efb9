// Claims about content: sealed where that is asked for, opened for a reason that is recorded, provable without it, erasable.

import assert from 'node:assert/strict';
import { createHash, createHmac, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isId } from '@countersign/core/ids';
import { verifyReceipt } from '@countersign/sdk/ledger/verify-receipt';
import { type Person, startGateway, type TestGateway } from '../../support/gateway.ts';
import { entriesOnDisk } from '../../support/ledger-on-disk.ts';
import { checkPairs } from '../../support/pairs.ts';
import { chatEvents, chatJson } from '../../support/provider-answers.ts';
import { makeSecondOwner, type Owner } from '../../support/second-owner.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
let bob: Person;
let second: Owner;
before(async () => {
  running = await startGateway();
  bob = await running.person('bob');
  second = await makeSecondOwner(running);
  await running.must('PATCH', '/organization', { contentMode: 'sealed', minimumRetentionDays: 0 });
});
after(async () => {
  assert.ok(checkPairs(running) > 0);
  await running.stop();
});

const secret = 'the heron lands at dawn';
const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: secret }] });
const reason = { reason: 'incident 4711, asked by legal' };
const open = (id: string, key?: string) => running.api('POST', `/records/${id}/content`, reason, key);

/** Every byte of the store on the disk. */
function disk(): Buffer {
  const files = ['countersign.db', 'countersign.db-wal', 'countersign.journal'];
  return Buffer.concat(files.map((file) => readFileSync(join(running.directory, file))));
}

const entries = () => entriesOnDisk(running);
const ofRecord = (id: string) =>
  entries().filter((entry) => at(entry, 'id') === id || at(entry, 'intent') === id);

test('sealed content comes back byte for byte, streamed or not, and the disk never holds it', async () => {
  for (const [asked, answered] of [
    [body, chatJson()],
    [body.replace('{', '{"stream":true,'), chatEvents().join('')],
  ] as const) {
    const answer = await running.call({ key: bob.key, body: asked });
    assert.equal(answer.status, 200, answer.text);
    const opened = await open(answer.record());
    assert.equal(opened.status, 200, JSON.stringify(opened.body));
    assert.equal(textAt(opened.body, 'request'), asked);
    assert.equal(textAt(opened.body, 'response'), answered);
  }
  assert.equal(disk().includes(secret), false);
  assert.equal(disk().includes('Hello, auditor'), false);
});

test('opening needs the right, a reason, and leaves an entry that names who, what and why', async () => {
  const answer = await running.call({ key: bob.key, body });
  const id = answer.record();
  const without = await running.api('POST', `/records/${id}/content`, { reason: 'short' });
  assert.equal(without.status, 400);
  const { key } = await running.keyFor({ principalId: bob.id, use: 'management' });
  assert.equal((await open(id, key)).status, 403);
  const before = entries().length;
  assert.equal((await open(id)).status, 200);
  const [entry, ...others] = entries().slice(before);
  assert.equal(others.length, 0);
  assert.equal(textAt(entry, 'type'), 'content_read');
  assert.equal(textAt(entry, 'actor.id'), running.ownerId);
  assert.ok(JSON.stringify(entry).includes(id) && JSON.stringify(entry).includes(reason.reason));
  assert.equal(JSON.stringify(entry).includes(secret), false);
});

/** The person's own key, as the data plane holds it. */
async function subjectKeyOf(id: string): Promise<KeyObject> {
  const { organizationId } = running;
  if (!isId('org', organizationId) || !isId('user', id)) throw new TypeError('no person');
  const key = await running.server.gateway.deps.subjectKey(organizationId, id);
  assert.ok(key !== undefined);
  return key.object;
}

test('the commitments of both entries follow from the content and the salt, and from nothing else', async () => {
  const answer = await running.call({ key: bob.key, body });
  const id = answer.record();
  const key = await subjectKeyOf(bob.id);
  const commit = (purpose: string, content: string | Buffer): string => {
    const salt = createHmac('sha256', key).update(`${id}\u0000${purpose}`).digest();
    return createHash('sha256').update(salt).update(content).digest('hex');
  };
  const [intent, outcome] = ofRecord(id);
  assert.equal(textAt(intent, 'content.req_c'), commit('request', body));
  assert.equal(textAt(outcome, 'content.resp_c'), commit('response', answer.body));
  assert.equal(at(intent, 'content.req_len'), Buffer.byteLength(body));
  assert.equal(at(outcome, 'content.resp_len'), answer.body.length);
  assert.notEqual(textAt(intent, 'content.req_c'), commit('response', body));
  assert.notEqual(textAt(intent, 'content.req_c'), createHash('sha256').update(body).digest('hex'));
});

test('policy decides what is kept: dropped, committed to, or sealed', async () => {
  const rules = 'permit (principal, action, resource);';
  for (const [mode, isCommitted, isSealed] of [
    ['drop', false, false],
    ['commitment', true, false],
    ['keep', true, true],
  ] as const) {
    await running.publish(`@content("${mode}") ${rules}`);
    const answer = await running.call({ key: bob.key, body });
    const opened = (await open(answer.record())).body;
    assert.equal(typeof at(opened, 'request') === 'string', isSealed, mode);
    assert.equal(typeof at(opened, 'response') === 'string', isSealed, mode);
    const [intent, outcome] = ofRecord(answer.record());
    assert.equal(typeof at(intent, 'content.req_c') === 'string', isCommitted, mode);
    assert.equal(typeof at(outcome, 'content.resp_c') === 'string', isCommitted, mode);
  }
  await running.publish(rules);
});

test('after an erasure by two people nothing of the person can be read, and every proof still holds', async () => {
  const answer = await running.call({ key: bob.key, body });
  const id = answer.record();
  const before = await running.must('GET', `/records/${id}/proof`);
  const written = ofRecord(id);
  const erase = (key?: string) =>
    running.api('POST', `/users/${bob.id}/erase`, { reason: 'asked by the person' }, key);
  const first = await erase();
  assert.equal(textAt(first.body, 'state'), 'requested');
  assert.equal((await open(id)).status, 200, 'one person alone erases nothing');
  assert.equal((await erase()).status, 403);
  assert.equal(textAt((await erase(second.key)).body, 'state'), 'erased');
  assert.equal((await running.call({ key: bob.key, body })).status, 401);
  assert.equal((await open(id)).status, 404);
  const record = await running.record(id);
  assert.equal(textAt(record, 'actor.id'), bob.id);
  assert.equal(at(record, 'actor.name'), undefined);
  assert.deepEqual(ofRecord(id), written);
  const proof = await running.must('GET', `/records/${id}/proof`);
  assert.equal(textAt(proof, 'entry'), textAt(before, 'entry'));
  for (const one of [before, proof]) {
    const entry = Buffer.from(textAt(one, 'entry'), 'utf8');
    const options = { vkey: textAt(one, 'verifierKey') };
    const verified = verifyReceipt(textAt(one, 'proof'), entry, options);
    assert.ok(verified.ok, JSON.stringify(verified));
    const altered = Buffer.from(textAt(one, 'entry').replace('"allow"', '"deny"'), 'utf8');
    assert.equal(verifyReceipt(textAt(one, 'proof'), altered, options).ok, false);
  }
});
