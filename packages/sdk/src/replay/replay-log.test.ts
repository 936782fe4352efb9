// Tries replay with a small log of our own making, honest and then falsified in each way that it must notice.

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';
import { openCedarReader } from './cedar-policy.ts';
import type { DifferenceKind } from './difference.ts';
import { type Replay, replayLog } from './replay-log.ts';
import { type Draft, ids, sha256Hex } from './sample-changes.ts';
import { logText, makeLog, sampleHead } from './sample-log.ts';

function replay(log: readonly Draft[]): Replay {
  return replayLog({ readPolicy: openCedarReader(), sha256Hex }, sampleHead, log.map(logText));
}

function kindsOf(log: readonly Draft[]): readonly DifferenceKind[] {
  return [...replay(log).differenceKinds.keys()];
}

/** The log with one entry changed: the first of this id. */
function altered(name: string, change: (entry: Draft) => Draft): readonly Draft[] {
  const log = makeLog();
  const at = log.entries.findIndex(({ id }) => id === log.idOf(name));
  assert.notEqual(at, -1, name);
  return log.entries.map((entry, i) => (i === at ? change(entry) : entry));
}

function within(entry: Draft, member: string, change: Draft): Draft {
  const before = entry[member];
  return { ...entry, [member]: { ...(typeof before === 'object' ? before : {}), ...change } };
}

test('an honest log replays without a difference, and every decision is taken again', () => {
  const result = replay(makeLog().entries);
  assert.deepEqual(result.differences, []);
  assert.deepEqual(result.calls, { allowed: 3, denied: 1, requestable: 0, refused: 2 });
  assert.equal(result.retaken, 6);
  assert.equal(result.version, 9);
  assert.equal(result.policies, 2);
  assert.equal(result.permissionsChecked, 8);
  assert.equal(result.open, 0);
});

test('a policy in many parts is put together and hashed whole', () => {
  const comment = `// ${'é'.repeat(20_000)}\n`;
  const text = comment + defaultPolicyText;
  assert.deepEqual(kindsOf(makeLog({ policyText: text, partLength: 7_000 }).entries), []);
});

test('a call that was allowed against the policy is found, with what should have been', () => {
  const log = altered('denied call', (entry) => {
    const { status, err, ...rest } = within(entry, 'policy', {
      decision: 'allow',
      rules: ['members-use-their-workspaces-models'],
      reason: undefined,
    });
    return rest;
  });
  const [first] = replay(log).differences;
  assert.deepEqual(
    { kind: first?.kind, recorded: first?.recorded, replayed: first?.replayed },
    { kind: 'decision_differs', recorded: 'allow', replayed: 'deny' },
  );
});

const opening = makeLog().entries[0] ?? {};
const opened = (change: Draft): readonly Draft[] =>
  makeLog().entries.with(0, within(opening, 'opened', change));

const inParts = makeLog({ policyText: `${defaultPolicyText}// the end`, partLength: 500 }).entries;

/** The log up to the first of the parts of its second policy. */
function cutPolicy(): readonly Draft[] {
  return inParts.slice(
    0,
    inParts.findLastIndex(({ policy_part }) => policy_part !== undefined),
  );
}

const other = makeLog().entries[1] ?? {};

/** The log with this entry once more behind itself. */
function repeated(name: string): readonly Draft[] {
  const log = makeLog();
  return log.entries.flatMap((entry) => (entry.id === log.idOf(name) ? [entry, entry] : [entry]));
}

function repeatedPair(): readonly Draft[] {
  const log = makeLog();
  return log.entries.filter(({ id }) => id === log.idOf('call') || id === log.idOf('outcome'));
}

const falsified: readonly (readonly [string, DifferenceKind, readonly Draft[]])[] = [
  [
    'another rule named than the one that decided',
    'rules_differ',
    altered('denied call', (entry) =>
      within(entry, 'policy', { rules: ['a-person-stands-behind-every-call'] }),
    ),
  ],
  [
    'an obligation that no rule gave',
    'obligations_differ',
    altered('call', (entry) => within(entry, 'policy', { obligations: { max_tokens: 10 } })),
  ],
  [
    'a policy of another version',
    'policy_differs',
    altered('call', (entry) => within(entry, 'policy', { version: 1 })),
  ],
  [
    'roles that were not held',
    'actor_differs',
    altered('call', (entry) => within(entry, 'actor', { roles: ['owner'] })),
  ],
  [
    'teams that were not joined',
    'actor_differs',
    altered('call', (entry) => within(entry, 'actor', { teams: [] })),
  ],
  [
    'another model than was decided on',
    'target_differs',
    altered('call', (entry) => within(entry, 'target', { resource: ids.otherModel })),
  ],
  [
    'another workspace in the input',
    'context_differs',
    altered('call', (entry) => within(entry, 'ctx', { workspaceName: 'other' })),
  ],
  [
    'labels that the detectors did not find',
    'context_differs',
    altered('call', (entry) => within(entry, 'ctx', { labels: ['secret'] })),
  ],
  [
    'an hour that does not follow from the time',
    'context_differs',
    altered('call', (entry) =>
      within(entry, 'ctx', { time: { epoch: 1_763_769_660, hour: 23, weekday: 6 } }),
    ),
  ],
  ['a decision under an older version', 'version_differs', altered('call', (entry) => ({ ...entry, sv: 2 }))],
  [
    'a call after its key expired',
    'key_not_live',
    altered('call', (entry) => ({ ...entry, ts: '2026-01-01T00:00:00.000Z' })),
  ],
  [
    'a key of somebody else',
    'actor_differs',
    altered('call', (entry) => within(entry, 'actor', { cred: ids.ownerKey })),
  ],
  [
    'a policy text that was exchanged',
    'policy_hash_differs',
    altered('publish', (entry) => ({ ...entry, policy_text: 'permit(principal, action, resource);' })),
  ],
  [
    'a policy without its text',
    'policy_text_missing',
    altered('publish', ({ policy_text, ...entry }) => entry),
  ],
  [
    'an outcome of a call that never was',
    'outcome_without_intent',
    altered('outcome', (entry) => ({ ...entry, intent: '018f2f3c-0000-7000-8000-00000000ffff' })),
  ],
  [
    'an outcome of another request',
    'outcome_differs',
    altered('outcome', (entry) => ({ ...entry, req: other.req })),
  ],
  [
    'an outcome of another attempt',
    'outcome_differs',
    altered('outcome', (entry) => ({ ...entry, attempt: 7 })),
  ],
  [
    'an outcome of somebody else',
    'outcome_differs',
    altered('outcome', (entry) => ({ ...entry, actor: { id: 'anonymous', kind: 'anonymous' } })),
  ],
  [
    'an outcome of the same person by another key',
    'outcome_differs',
    altered('outcome', (entry) => within(entry, 'actor', { cred: ids.ownerKey })),
  ],
  [
    'an outcome of another model',
    'outcome_differs',
    altered('outcome', (entry) => within(entry, 'target', { resource: ids.otherModel })),
  ],
  [
    'an outcome of another endpoint',
    'outcome_differs',
    altered('outcome', (entry) => within(entry, 'target', { endpoint: 'embeddings' })),
  ],
  [
    'an outcome of a tool that closes the call of a model',
    'outcome_differs',
    altered('outcome', (entry) => ({ ...entry, type: 'tool_call' })),
  ],
  ['an outcome of another version', 'outcome_differs', altered('outcome', (entry) => ({ ...entry, sv: 7 }))],
  ['an intent that stands there twice', 'id_repeated', repeated('call')],
  [
    'a call that is told again with its outcome',
    'id_repeated',
    [...makeLog().entries.slice(0, -1), ...repeatedPair()],
  ],
  ['a log without its first entry', 'opening_differs', makeLog().entries.slice(1)],
  ['a log that is opened again', 'opening_differs', [...makeLog().entries, { ...opening, id: other.id }]],
  ['a log that was opened as another', 'opening_differs', opened({ origin: 'other.example/org' })],
  ['a log that was opened under another key', 'opening_differs', opened({ vkey: 'x+y+z' })],
  ['a policy whose last part never came', 'policy_text_missing', cutPolicy()],
  [
    'a part of a policy that changes something besides',
    'change_differs',
    inParts.with(9, { ...inParts[9], change: other.change }),
  ],
  ['an entry of another log', 'log_differs', altered('call', (entry) => ({ ...entry, log: 'elsewhere' }))],
  [
    'a change by one who held no permission',
    'permission_missing',
    altered('revoke', (entry) => ({ ...entry, op: 'user.erase', actor: makeLog().memberActor })),
  ],
];

for (const [what, kind, log] of falsified) {
  test(`${what} is found`, () => {
    assert.ok(kindsOf(log).includes(kind), `${kind} is not in ${kindsOf(log).join(', ') || 'nothing'}`);
  });
}

test('a call after its key was revoked is found', () => {
  const log = makeLog();
  const call = log.entries.find(({ id }) => id === log.idOf('call'));
  assert.ok(call !== undefined);
  const late = within({ ...call, sv: 9, id: '018f2f3c-0000-7000-8000-0000000000aa' }, 'policy', {});
  assert.deepEqual(kindsOf([...log.entries, late]), ['key_not_live']);
});

test('dropping a change shifts every later version', () => {
  const log = makeLog();
  const kinds = kindsOf(log.entries.filter(({ id }) => id !== log.idOf('join')));
  assert.ok(kinds.includes('version_differs'));
});

test('a refusal before policy is held to its reason', () => {
  const log = altered('narrowed call', (entry) => within(entry, 'policy', { reason: 'unknown_model' }));
  assert.deepEqual(kindsOf(log), ['reason_differs']);
});

test('an entry that cannot be read is named and the rest is replayed', () => {
  const { entries } = makeLog();
  const texts = entries.map(logText).with(10, '{"v":1}');
  const result = replayLog({ readPolicy: openCedarReader(), sha256Hex }, sampleHead, texts);
  assert.ok(result.differenceKinds.has('entry_unreadable'));
  assert.equal(result.entries, entries.length);
});

test('the outcome names the model in the words of its provider', () => {
  assert.deepEqual(
    kindsOf(altered('outcome', (entry) => within(entry, 'target', { served: 'small-1-1106' }))),
    [],
  );
});

test('the hash is of the text as UTF-8', () => {
  assert.equal(sha256Hex('é'), hash('sha256', Buffer.from('é', 'utf8'), 'hex'));
});
