// Tries the replay of calls that are more than one model by its name: routes, pinned providers, further models, objects.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';
import { openCedarReader } from './cedar-policy.ts';
import type { DifferenceKind } from './difference.ts';
import { type Replay, replayLog } from './replay-log.ts';
import { changed, type Draft, ids, managed, sha256Hex, userActor } from './sample-changes.ts';
import { call, logText, makeLog, sampleHead, sampleVersion } from './sample-log.ts';

const policyText = `${defaultPolicyText}
@id("files-are-read")
permit (principal, action == Action::"passthrough", resource is Route)
when { resource.method == "GET" && resource.path like "/v1/files*" && !resource.external };
@id("spare-takes-no-secrets")
forbid (principal, action, resource is Model)
when { resource.name == "spare" && context.labels.contains("secret") };
`;
const hash = sha256Hex(policyText);
const owner = userActor(ids.owner, ['owner'], [], ids.ownerKey);
const alice = userActor(ids.alice, ['member'], [ids.team], ids.aliceKey);
const files = ['files-are-read'];
const usual = ['members-use-their-workspaces-models'];
const secret = { labels: ['secret'], counts: { total: 1, secret: 1 } };
const inside = { provider: 'inside', resource: ids.model, served: 'small-1' };

type Asked = {
  readonly target: Draft;
  readonly actor?: Draft;
  readonly rules?: readonly string[];
  /** Why it was denied by policy, or refused before it. */
  readonly denied?: string;
  readonly refused?: string;
  readonly ctx?: Draft;
};

/** The intent of such a call, as the gateway records it. */
function intent({ target, actor = owner, rules = usual, denied, refused, ctx = {} }: Asked): Draft {
  const reason = denied ?? refused;
  const policy = {
    decision: reason === undefined ? 'allow' : 'deny',
    rules: refused === undefined ? rules : [refused],
    ...(reason === undefined ? {} : { reason }),
  };
  const final =
    reason === undefined
      ? {}
      : {
          status: denied === undefined ? 'refused' : 'denied',
          err: { code: denied === undefined ? 'not_found' : 'policy_denied' },
        };
  return call(
    hash,
    { n: 20, asked: 'small', actor, policy },
    { target, ...final, ...('labels' in ctx ? { class: { labels: ctx.labels } } : {}) },
    { endpoint: target.endpoint, ...ctx },
  );
}

function replay(...calls: readonly Draft[]): Replay {
  // Without the revocation at its end, which makes another version.
  const before = makeLog({ policyText }).entries.slice(0, -1);
  const texts = [...before, ...calls].map(logText);
  return replayLog({ readPolicy: openCedarReader(), sha256Hex }, sampleHead, texts);
}

const route = { endpoint: 'passthrough', route: '/v1/files', pinned: 'inside', method: 'GET' };
const pinnedChat = { endpoint: 'chat', route: '/v1/chat/completions', model: 'small', ...inside };
const object = { endpoint: 'response_object', route: '/v1/responses/resp_1', owned: ids.model, ...inside };
const images = {
  endpoint: 'responses',
  route: '/v1/responses',
  model: 'small',
  ...inside,
};

const honest: { readonly [what: string]: Asked } = {
  'a route that policy permits': { target: { ...route, provider: 'inside' }, rules: files },
  'a route that no rule permits': {
    target: { ...route, method: 'DELETE', provider: 'inside' },
    rules: [],
    denied: 'no_permit',
  },
  'a route whose body names a model': {
    target: { ...route, model: 'small', ...inside },
    rules: [...files, ...usual],
  },
  'a route for a key that is narrowed to models': {
    target: route,
    actor: alice,
    refused: 'key_narrowed',
  },
  'a route of a provider that is not there': {
    target: { ...route, pinned: 'nowhere' },
    refused: 'provider_suspended',
  },
  'a model of the provider in the path': { target: { ...pinnedChat, pinned: 'inside' } },
  'a model of another provider than the path names': {
    target: { endpoint: 'chat', model: 'small', pinned: 'vendor' },
    refused: 'unknown_model',
  },
  'an object of an earlier call': { target: object },
  'an object under the provider in the path': { target: { ...object, pinned: 'inside' } },
  'a further model in the body': { target: images, ctx: { otherModels: ['spare-1'] } },
  'a further model that policy forbids': {
    target: images,
    rules: ['spare-takes-no-secrets'],
    denied: 'forbid',
    ctx: { ...secret, otherModels: ['spare-1'] },
  },
  'a further model that is not there': {
    target: images,
    ctx: { otherModels: ['nothing'] },
    refused: 'unknown_model',
  },
  'a further model that another provider has': {
    target: images,
    ctx: { otherModels: ['large-1'] },
    refused: 'unknown_model',
  },
};

for (const [what, asked] of Object.entries(honest)) {
  test(`${what} is decided again, with the same result`, () => {
    const result = replay(intent(asked));
    assert.deepEqual(result.differences, []);
    assert.equal(result.retaken, 7);
    assert.deepEqual([...result.notRetaken], []);
  });
}

const lies: readonly (readonly [string, DifferenceKind, Asked])[] = [
  [
    'a forbidden method that went ahead',
    'decision_differs',
    { target: { ...route, method: 'DELETE', provider: 'inside' }, rules: files },
  ],
  [
    'a route to a provider that no rule permits',
    'decision_differs',
    { target: { ...route, pinned: 'vendor', provider: 'vendor' }, rules: files },
  ],
  [
    'a path that no rule permits',
    'decision_differs',
    { target: { ...route, route: '/v1/batches', provider: 'inside' }, rules: files },
  ],
  [
    'a route that went to another provider than its path names',
    'target_differs',
    { target: { ...route, provider: 'vendor' }, rules: files },
  ],
  [
    'a route that went ahead with a narrowed key',
    'decision_differs',
    { target: { ...route, provider: 'inside' }, rules: files, actor: alice },
  ],
  [
    'a further model that policy forbids and that went ahead',
    'decision_differs',
    { target: images, ctx: { ...secret, otherModels: ['spare-1'] } },
  ],
  [
    'a further model that is not there and that went ahead',
    'decision_differs',
    { target: images, ctx: { otherModels: ['nothing'] } },
  ],
  [
    'a model of another provider than the path names that went ahead',
    'decision_differs',
    { target: { ...pinnedChat, pinned: 'vendor' } },
  ],
  [
    'an object of another model than went ahead',
    'target_differs',
    { target: { ...object, owned: ids.otherModel } },
  ],
  [
    'a refusal for a model that was there',
    'reason_differs',
    { target: { endpoint: 'chat', model: 'small' }, refused: 'unknown_model' },
  ],
  ['an endpoint that is none of ours', 'target_differs', { target: { ...pinnedChat, endpoint: 'anything' } }],
];

for (const [what, kind, asked] of lies) {
  test(`${what} is found`, () => {
    const kinds = [...replay(intent(asked)).differenceKinds.keys()];
    assert.ok(kinds.includes(kind), `${kind} is not in ${kinds.join(', ') || 'nothing'}`);
  });
}

test('a refusal for want of a permission is held to the roles of its place', () => {
  const target = { endpoint: 'chat', model: 'small', provider: 'inside', resource: ids.model };
  const lie = replay(intent({ target, refused: 'no_permission' }));
  assert.deepEqual([...lie.differenceKinds.keys()], ['reason_differs']);
});

test('a call by nobody who may call is reported, not passed over', () => {
  const actor = { id: 'anonymous', kind: 'anonymous' };
  const result = replay({ ...intent({ target: pinnedChat }), actor });
  assert.ok(result.differenceKinds.has('actor_not_live'));
});

test('a call whose input is no value of policy is reported, not passed over', () => {
  const result = replay({ ...intent({ target: pinnedChat }), ctx: { time: null } });
  assert.ok(result.differenceKinds.has('context_differs'));
});

test('a provider that was suspended takes no route afterwards', () => {
  const suspended = managed(19, sampleVersion, 'provider.update', [
    changed('provider', {
      id: ids.provider,
      name: 'inside',
      kind: 'sandbox',
      external: false,
      timeouts: { connectMs: 5000, firstByteMs: 5000, idleMs: 5000 },
      retryStatuses: [],
      status: 'suspended',
    }),
  ]);
  const later = (asked: Asked): Draft => {
    const entry = intent(asked);
    return { ...entry, sv: sampleVersion + 1 };
  };
  const refused = later({ target: route, refused: 'provider_suspended' });
  assert.deepEqual(replay(suspended, refused).differences, []);
  const gone = later({ target: { ...route, provider: 'inside' }, rules: files });
  assert.ok(replay(suspended, gone).differenceKinds.has('decision_differs'));
});
