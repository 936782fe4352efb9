// Tests that each type of entry is an event of its class of OCSF 1.8.0, with all that the class requires.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Entry } from '../entry.ts';
import { anyEntry } from './any-entry.support.ts';
import { ocsfCopy } from './ocsf.ts';
import { readOcsf } from './ocsf-reader.support.ts';
import { copied, sampleEntries } from './sample-entries.support.ts';

function eventOf(entry: Entry) {
  return readOcsf(ocsfCopy(copied(entry)));
}

test('every sample, and any entry, is an event of the schema to a strict reader', () => {
  for (const entry of sampleEntries) eventOf(entry);
  fc.assert(
    fc.property(anyEntry, (entry) => {
      const event = eventOf(entry);
      assert.ok(Number(event.time) >= 0);
      // Neither has this attribute.
      if (event.class_uid === 0 || event.class_uid === 2004) assert.equal(event.actor, undefined);
    }),
  );
});

test('the strict reader refuses what the schema has not', () => {
  const [entry] = sampleEntries;
  const event = eventOf(entry ?? assert.fail());
  const isRefused = (changed: object, why: RegExp) =>
    assert.throws(() => readOcsf(JSON.stringify({ ...event, ...changed })), why);
  isRefused({ surprise: 1 }, /not in the extract/);
  isRefused({ actor: undefined }, /required/);
  isRefused({ actor: { user: {} } }, /has none of/);
  isRefused({ actor: { user: { uid: 'usr_1', type_id: 1, type: 'user' } } }, /type_id is 1 \(User\)/);
  isRefused({ activity_name: undefined }, /activity_id is 99/);
  isRefused({ status_id: 7 }, /no value/);
  isRefused({ duration: '12' }, /no integer/);
  isRefused({ resources: { uid: 'mod_1' } }, /list/);
  isRefused({ metadata: { ...Object(event.metadata), profiles: [] } }, /profile/);
  isRefused({ class_uid: 6005 }, /another class/);
});

function shown(find: (entry: Entry) => boolean, ...names: readonly string[]): readonly unknown[] {
  const event = eventOf(sampleEntries.find(find) ?? assert.fail());
  return names.map((name) => event[name]);
}

test('each type of entry has the class that says the most of it', () => {
  const named = (type: string) => shown((entry) => entry.type === type, 'class_name', 'activity_name');
  assert.deepEqual(named('model_call'), ['API Activity', 'model_call intent']);
  assert.deepEqual(named('tool_call'), ['API Activity', 'tool_call intent']);
  assert.deepEqual(named('management'), ['Entity Management', 'Create']);
  assert.deepEqual(named('content_read'), ['Datastore Activity', 'Read']);
  assert.deepEqual(named('erasure'), ['Account Change', 'Delete']);
  assert.deepEqual(named('alert'), ['Detection Finding', 'Create']);
  assert.deepEqual(named('refused_credentials'), ['Authentication', 'Logon']);
  assert.deepEqual(named('checkpoint'), ['Base Event', 'checkpoint']);
  assert.deepEqual(named('log_opened'), ['Entity Management', 'Create']);
});

test('an account is an account change; the first request for an erasure is not a deletion', () => {
  const of = (op: string) =>
    shown((entry) => 'op' in entry && entry.op === op, 'class_uid', 'activity_id', 'user', 'entity');
  assert.deepEqual(of('user.create'), [3001, 1, { uid: 'usr_2', type: 'User', type_id: 1 }, undefined]);
  assert.deepEqual(of('user.erase'), [3001, 99, { uid: 'usr_2', type: 'User', type_id: 1 }, undefined]);
  assert.deepEqual(of('team.remove'), [3004, 4, undefined, { uid: 'tea_1', type: 'team' }]);
});

test('who acts is a user of the schema by its words, or of ours where it has none; a key is a credential', () => {
  const more = {
    programmatic_credentials: [{ uid: 'key_1' }],
    org: { uid: 'org_1' },
    groups: [{ uid: 'tea_1', type: 'team' }],
  };
  for (const [kind, type, id] of [
    ['user', 'User', 1],
    ['service', 'Service', 4],
    ['agent', 'agent', 99],
    ['anonymous', 'Unknown', 0],
    ['system', 'System', 3],
  ] as const) {
    const [actor] = shown((entry) => entry.actor.kind === kind && 'attempt' in entry, 'actor');
    assert.deepEqual(Object(actor).user, { uid: 'usr_1', type, type_id: id, ...more });
  }
});

test('a call that was refused is a failure that was blocked; one that may run has not ended', () => {
  const names = ['status_id', 'status', 'action_id', 'disposition_id', 'severity_id'];
  assert.deepEqual(
    shown(({ type }) => type === 'model_call', ...names),
    [99, 'intent', 1, 1, 1],
  );
  const isDenied = (entry: Entry) => 'phase' in entry && 'status' in entry && entry.status === 'denied';
  assert.deepEqual(shown(isDenied, ...names), [2, undefined, 2, 2, 2]);
});

test('a log that is not what was signed is critical, and about that log', () => {
  const isAltered = (entry: Entry) => 'alert' in entry && entry.alert.kind === 'log_altered';
  assert.deepEqual(shown(isAltered, 'severity_id', 'is_alert', 'resources'), [
    5,
    true,
    [{ uid: 'gw.example/org_1', type: 'log' }],
  ]);
});

test('tokens from a cache count as tokens of the prompt, as the profile has it', () => {
  const [context] = shown((entry) => 'usage' in entry && entry.usage !== undefined, 'message_context');
  assert.deepEqual(context, {
    service: { name: 'sandbox' },
    prompt_tokens: 17,
    completion_tokens: 10,
    total_tokens: 27,
  });
});
