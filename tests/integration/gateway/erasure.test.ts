// Claims about what an erasure leaves behind: nothing that was the person's lies in the data folder when it is answered.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGateway, type TestGateway } from '../../support/gateway.ts';
import { makeSecondOwner } from '../../support/second-owner.ts';
import { textAt } from '../../support/server.ts';

let running: TestGateway;
let second: string;
before(async () => {
  running = await startGateway();
  second = (await makeSecondOwner(running)).key;
  await running.must('PATCH', '/organization', { minimumRetentionDays: 0 });
});
after(async () => {
  await running.stop();
});

/** What is sealed for a person, as it lies in the database. */
function sealedOf(id: string): readonly Uint8Array[] {
  const database = running.store('read');
  const row = database
    .prepare('select sealed_key, sealed_profile from subjects where subject_id = ?')
    .get(id);
  database.close();
  const sealed = [row?.sealed_key, row?.sealed_profile];
  return sealed.map((bytes) => (bytes instanceof Uint8Array ? bytes : assert.fail('nothing is sealed')));
}

/** Which of the bytes are in any file of the data folder. */
function found(all: readonly Uint8Array[]): number {
  const files = readdirSync(running.directory).map((name) => readFileSync(join(running.directory, name)));
  return all.filter((bytes) => files.some((file) => file.includes(Buffer.from(bytes)))).length;
}

test('when an erasure is answered, neither the key nor the profile is in any file, the write-ahead log included', async () => {
  const people: string[] = [];
  for (let n = 0; n < 8; n += 1) people.push((await running.person(`leaver-${n}`)).id);
  // The log is moved and used again meanwhile: what it holds of the first ones lies behind its end.
  await sleep(600);
  for (let n = 0; n < 10; n += 1) await running.call({ key: running.modelsKey });
  const sealed = people.flatMap(sealedOf);
  assert.equal(found(sealed), sealed.length);
  for (const id of people) {
    const bytes = sealedOf(id);
    const path = `/users/${id}/erase`;
    await running.must('POST', path, { reason: 'asked by the person' });
    const answer = await running.must('POST', path, { reason: 'asked by the person' }, second);
    assert.equal(textAt(answer, 'state'), 'erased');
    assert.equal(found(bytes), 0);
  }
  assert.equal(found(sealed), 0);
});
