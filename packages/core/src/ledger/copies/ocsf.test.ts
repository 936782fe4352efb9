// Tests that each type of entry is an event of its class of OCSF 1.8.0, with all that the class requires.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isObject } from '../../json.ts';
import type { Entry } from '../entry.ts';
import { anyEntry } from './any-entry.support.ts';
import { ocsfCopy } from './ocsf.ts';
import { copied, sampleEntries } from './sample-entries.support.ts';

/** `requirement: required` in the schema's base event, which every class extends. */
const everyClass = [
  'activity_id',
  'category_uid',
  'class_uid',
  'metadata',
  'severity_id',
  'time',
  'type_uid',
];

/** By `class_uid`: its activities, what it requires beside that, and of which attributes it has to have one. */
const classes: {
  readonly [uid: number]: {
    readonly activities: readonly number[];
    readonly required: readonly string[];
    readonly oneOf?: readonly string[];
  };
} = {
  0: { activities: [0, 99], required: [] },
  2004: { activities: [0, 1, 2, 3, 99], required: ['finding_info'] },
  3001: { activities: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 99], required: ['user'] },
  3002: { activities: [0, 1, 2, 3, 4, 5, 6, 7, 99], required: ['user'], oneOf: ['service', 'dst_endpoint'] },
  3004: { activities: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99], required: ['entity'] },
  6003: { activities: [0, 1, 2, 3, 4, 99], required: ['actor', 'api', 'src_endpoint'] },
  6005: {
    activities: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99],
    required: ['actor', 'src_endpoint'],
    oneOf: ['database', 'databucket', 'table'],
  },
};

/** By the name of an attribute: what its object requires, and of which members it has to have one. */
const objects: {
  readonly [name: string]: { readonly required?: readonly string[]; readonly oneOf?: readonly string[] };
} = {
  metadata: { required: ['product', 'version'] },
  product: { oneOf: ['name', 'uid'] },
  actor: { oneOf: ['process', 'user', 'invoked_by', 'session', 'app_name', 'app_uid'] },
  user: { oneOf: ['account', 'name', 'uid'] },
  org: { oneOf: ['name', 'uid'] },
  groups: { oneOf: ['name', 'uid'] },
  policy: { oneOf: ['name', 'type', 'uid'] },
  api: { required: ['operation'] },
  request: { required: ['uid'] },
  service: { oneOf: ['name', 'uid'] },
  src_endpoint: { oneOf: ['ip', 'uid', 'name', 'hostname', 'svc_name', 'instance_uid'] },
  dst_endpoint: { oneOf: ['ip', 'uid', 'name', 'hostname', 'svc_name', 'instance_uid'] },
  resources: { oneOf: ['name', 'uid'] },
  entity: { oneOf: ['name', 'uid', 'device', 'group', 'org', 'policy', 'user'] },
  finding_info: { required: ['uid'] },
  database: { required: ['type_id'], oneOf: ['name', 'uid'] },
  ai_model: { required: ['name', 'ai_provider'] },
  message_context: { oneOf: ['application', 'service'] },
};

type Event = { readonly [name: string]: unknown };

function eventOf(entry: Entry): Event {
  const event: unknown = JSON.parse(ocsfCopy(copied(entry)));
  assert.ok(isObject(event));
  return event;
}

/** Each object under its attribute's name, lists one by one; not what is unmapped, which is ours. */
function* objectsIn(value: Event): Generator<readonly [string, Event]> {
  for (const [name, member] of Object.entries(value)) {
    if (name === 'unmapped') continue;
    for (const one of Array.isArray(member) ? member : [member]) {
      if (!isObject(one)) continue;
      yield [name, one];
      yield* objectsIn(one);
    }
  }
}

function checkObject(
  name: string,
  value: Event,
  { required = [], oneOf }: (typeof objects)[string] = {},
): void {
  for (const one of required) assert.ok(value[one] !== undefined, `${name} has no ${one}`);
  assert.ok(oneOf === undefined || oneOf.some((one) => value[one] !== undefined), `${name}: ${oneOf}`);
}

function checkEvent(event: Event): void {
  const uid = Number(event.class_uid);
  const known = classes[uid] ?? assert.fail(`class ${uid}`);
  checkObject('event', event, { ...known, required: [...everyClass, ...known.required] });
  assert.equal(event.category_uid, Math.floor(uid / 1000));
  assert.ok(known.activities.includes(Number(event.activity_id)), `activity ${event.activity_id}`);
  assert.equal(event.type_uid, uid * 100 + Number(event.activity_id));
  assert.ok(Number.isSafeInteger(event.time) && Number(event.time) >= 0);
  assert.ok([1, 2, 3, 5].includes(Number(event.severity_id)));
  assert.ok([0, 1, 2, 99].includes(Number(event.status_id)));
  // A word of our own stands where the schema's number says so, and nowhere else.
  assert.equal(event.status !== undefined, event.status_id === 99);
  // Neither has this attribute.
  if (uid === 0 || uid === 2004) assert.equal(event.actor, undefined);
  for (const [name, one] of objectsIn(event)) checkObject(name, one, objects[name]);
}

test('every sample, and any entry, has what its class and each of its objects require', () => {
  for (const entry of sampleEntries) checkEvent(eventOf(entry));
  fc.assert(fc.property(anyEntry, (entry) => checkEvent(eventOf(entry))));
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
  assert.deepEqual(of('user.create'), [3001, 1, { uid: 'usr_2', type: 'user', type_id: 1 }, undefined]);
  assert.deepEqual(of('user.erase'), [3001, 99, { uid: 'usr_2', type: 'user', type_id: 1 }, undefined]);
  assert.deepEqual(of('team.remove'), [3004, 4, undefined, { uid: 'tea_1', type: 'team' }]);
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
