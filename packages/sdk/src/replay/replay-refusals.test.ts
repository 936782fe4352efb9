// Tries the replay of what no entry holds whole: long lists of rules, and refusals whose decision stands in no entry.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listedRules, listedTeams } from '@countersign/core/ledger/listed-rules';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';
import { openCedarReader } from './cedar-policy.ts';
import { untold } from './check-untold.ts';
import { type Replay, replayLog } from './replay-log.ts';
import { changed, type Draft, ids, managed, sampleId, sha256Hex, userActor } from './sample-changes.ts';
import { call, logText, makeLog, sampleHead, sampleVersion } from './sample-log.ts';

const names = Array.from({ length: 120 }, (_, i) => `one-of-many-rules-with-a-long-name-${i}`);
const erring = Array.from({ length: 60 }, (_, i) => `one-of-many-rules-that-err-${i}`);
const policyText = [
  defaultPolicyText,
  ...names.map((id) => `@id("${id}") permit (principal, action, resource);`),
  ...erring.map((id) => {
    const overflows = 'context.tokens * 9007199254740991 * 9007199254740991 > 0';
    return `@id("${id}") permit (principal, action, resource) when { ${overflows} };`;
  }),
].join('\n');
const hash = sha256Hex(policyText);
const owner = userActor(ids.owner, ['owner'], [], ids.ownerKey);

const policyIds = ['members-use-their-workspaces-models', ...names];
const errors = erring.map((policyId) => ({ policyId }));
const listed = listedRules({ policyIds, errors });

function intent(policy: Draft, more: Draft = {}, ctx: Draft = {}): Draft {
  return call(hash, { n: 20, asked: 'small', actor: owner, policy }, more, ctx);
}

function replay(...calls: readonly Draft[]): Replay {
  // Without the revocation at its end, which makes another version; its own calls were decided by another text.
  const before = makeLog({ policyText }).entries.filter(
    ({ type, sv }) => type !== 'model_call' && sv !== sampleVersion,
  );
  const texts = [...before, ...calls].map(logText);
  return replayLog({ readPolicy: openCedarReader(), sha256Hex }, sampleHead, texts);
}

function kindsOf(...calls: readonly Draft[]): readonly string[] {
  return [...new Set(replay(...calls).differences.map(({ kind }) => kind))];
}

test('a call with more rules than an entry lists is decided again by all of them', () => {
  assert.ok((listed.more ?? 0) > 0 && (listed.more_errors ?? 0) > 0);
  const result = replay(intent({ decision: 'allow', ...listed }));
  assert.deepEqual(result.differences, []);
  assert.equal(result.retaken, 1);
});

test('a log of before there were counts, with all rules in its lists, replays', () => {
  const all = { rules: policyIds, errors: erring };
  assert.deepEqual(kindsOf(intent({ decision: 'allow', ...all })), []);
});

const lists: readonly (readonly [string, Draft])[] = [
  ['another count of rules', { more: (listed.more ?? 0) + 1 }],
  ['a count of rules that is missing', { more: undefined }],
  ['a list that is shorter than it must be', { rules: policyIds.slice(0, 2), more: policyIds.length - 2 }],
  ['a list that is longer than it may be', { rules: policyIds.slice(0, -1), more: 1 }],
  ['a count beside a whole list', { rules: policyIds, more: 1 }],
  ['another count of errors', { more_errors: (listed.more_errors ?? 0) + 1 }],
  ['a count of errors that is missing', { more_errors: undefined }],
  ['another rule in the list', { rules: listed.rules.with(3, 'a-rule-that-never-was') }],
];

for (const [what, change] of lists) {
  test(`${what} is found`, () => {
    assert.deepEqual(kindsOf(intent({ decision: 'allow', ...listed, ...change })), ['rules_differ']);
  });
}

const denied = (reason: string): Draft => ({ decision: 'deny', rules: [reason], reason });
const refused = { status: 'refused', err: { code: 'payload_too_large' } };
const reasons = ['foreign_id', 'record_too_large'] as const;

for (const reason of reasons) {
  test(`a refusal for \`${reason}\` has its form, and does not count as decided again`, () => {
    const result = replay(intent(denied(reason), refused));
    assert.deepEqual(result.differences, []);
    assert.equal(result.calls.refused, 1);
    assert.equal(result.retaken, 0);
    assert.deepEqual([...result.notRetaken], [[untold[reason], 1]]);
  });
}

const target = {
  endpoint: 'chat',
  model: 'small',
  provider: 'inside',
  resource: ids.model,
  served: 'small-1',
};

type Lie = { readonly policy?: Draft; readonly more?: Draft; readonly ctx?: Draft };
const lies: readonly (readonly [string, string, Lie])[] = [
  ['a decision to allow', 'decision_differs', { policy: { decision: 'allow' } }],
  ['rules that never were', 'rules_differ', { policy: { rules: ['a-rule-that-never-was'] } }],
  ['a further rule', 'rules_differ', { policy: { more: 1 } }],
  ['no rule', 'rules_differ', { policy: { rules: [] } }],
  ['rules that erred', 'rules_differ', { policy: { errors: [erring[0]] } }],
  ['an obligation', 'obligations_differ', { policy: { obligations: { max_tokens: 1 } } }],
  ['another model', 'target_differs', { more: { target: { ...target, resource: ids.otherModel } } }],
  ['another provider', 'target_differs', { more: { target: { ...target, provider: 'vendor' } } }],
  ['another upstream name', 'target_differs', { more: { target: { ...target, served: 'large-1' } } }],
  [
    'no model where there is one',
    'target_differs',
    { more: { target: { endpoint: 'chat', model: 'small' } } },
  ],
  [
    'an endpoint that is none of ours',
    'target_differs',
    { more: { target: { ...target, endpoint: 'anything' } }, ctx: { endpoint: 'anything' } },
  ],
];

for (const reason of reasons) {
  for (const [what, kind, { policy = {}, more = {}, ctx = {} }] of lies) {
    test(`${what} in a refusal for \`${reason}\` is found`, () => {
      const entry = intent({ ...denied(reason), ...policy }, { ...refused, ...more }, ctx);
      assert.deepEqual(kindsOf(entry), [kind]);
    });
  }
  test(`a call that was not refused has no reason \`${reason}\``, () => {
    for (const status of ['denied', undefined]) {
      const kinds = kindsOf(intent({ ...denied(reason), decision: 'allow', ...listed }, { status }));
      assert.ok(kinds.includes('reason_differs'), String(status));
    }
  });
}

test('a record that was too long says nothing of what the caller sent', () => {
  for (const ctx of [
    { claimed: { tags: ['a'] } },
    { hostedTools: ['web_search'] },
    { otherModels: ['spare-1'] },
    { counts: { total: 1, secret: 1 } },
    { opaque: true },
  ]) {
    assert.deepEqual(kindsOf(intent(denied('record_too_large'), refused, ctx)), ['context_differs']);
    assert.deepEqual(kindsOf(intent(denied('foreign_id'), refused, ctx)), [], 'of a foreign id it says all');
  }
});

const teams = Array.from({ length: 80 }, (_, i) => sampleId('team', 100 + i)).sort();
const joined = [
  managed(
    18,
    sampleVersion,
    'team.create',
    teams.map((id, i) => changed('team', { id, workspaceId: ids.workspace, name: `team-${i}` })),
  ),
  managed(
    19,
    sampleVersion + 1,
    'membership.create',
    teams.map((teamId, i) => {
      const id = sampleId('membership', 100 + i);
      return changed('membership', { id, principalId: ids.owner, teamId, source: 'direct' });
    }),
  ),
];

test('teams are counted in a record that was too long, and in no other', () => {
  const inTeams = (policy: Draft, more: Draft, said: Draft): Draft => {
    const entry = intent(policy, { ...more, sv: sampleVersion + 2 });
    return { ...entry, actor: { ...owner, ...said } };
  };
  const brief = listedTeams(teams);
  assert.ok((brief.more_teams ?? 0) > 0);
  const tooLong = denied('record_too_large');
  const allowed = { decision: 'allow', ...listed };
  assert.deepEqual(kindsOf(...joined, inTeams(tooLong, refused, { teams })), []);
  assert.deepEqual(kindsOf(...joined, inTeams(tooLong, refused, brief)), []);
  assert.deepEqual(kindsOf(...joined, inTeams(allowed, {}, { teams })), []);
  for (const said of [{ teams: brief.teams }, { ...brief, more_teams: 1 }, { teams: [], more_teams: 80 }])
    assert.deepEqual(kindsOf(...joined, inTeams(tooLong, refused, said)), ['actor_differs']);
  assert.deepEqual(kindsOf(...joined, inTeams(denied('foreign_id'), refused, brief)), ['actor_differs']);
  assert.deepEqual(kindsOf(...joined, inTeams(allowed, {}, brief)), ['actor_differs']);
});

test('an operation refused under a version before that of its place is a fact, and one of a later version is found', () => {
  const refusal = (sv: number): Draft => {
    const { change: _change, ...asked } = managed(70, sv, 'budget.create', []);
    return { ...asked, actor: owner, status: 'denied', err: { code: 'permission_denied' } };
  };
  for (const before of [0, 1, 5]) assert.deepEqual(kindsOf(refusal(sampleVersion - before)), []);
  assert.deepEqual(kindsOf(refusal(sampleVersion + 1)), ['version_differs']);
  assert.deepEqual(kindsOf(managed(70, sampleVersion - 1, 'budget.create', [])), ['version_differs']);
});
