// Owns a small log of every kind that replay reads, for tests: two people, an agent, two policies, six calls.

import { makeEntryId } from '@countersign/core/ids';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';
import {
  changed,
  common,
  type Draft,
  ids,
  key,
  managed,
  model,
  origin,
  policy,
  provider,
  role,
  sampleId,
  seed,
  sha256Hex,
  startMs,
  userActor,
} from './sample-changes.ts';
import { sampleVkey } from './sample-key.ts';

/** What is known of the sample from its checkpoint. */
export const sampleHead = { orgId: ids.org, origin, vkey: sampleVkey(origin) } as const;

export type SampleLog = {
  readonly entries: readonly Draft[];
  /** The id of the entry that was given this name. */
  readonly idOf: (name: string) => string;
  readonly memberActor: Draft;
};

/** The entry's canonical text. */
export function logText(entry: Draft): string {
  return canonicalJson(entry);
}

const policyText = `${defaultPolicyText}
@id("drafts-are-short")
@max_tokens("500")
permit (principal, action == Action::"chat", resource is Model)
when { context.claimed.tags.contains("draft") && principal in context.workspace };
`;

function opening(): Draft {
  const { req: _req, ...members } = common(34, 0);
  const actor = { id: 'system', kind: 'system' };
  return { ...members, type: 'log_opened', actor, opened: { origin, vkey: sampleVkey(origin) } };
}

function beginning(): Draft {
  const organization = {
    id: ids.org,
    slug: 'sample',
    currency: 'USD',
    contentMode: 'commitment',
    contentByLabel: {},
    outputCeiling: 1000,
    defaultPrice: { input: 1, output: 1 },
    minimumRetentionDays: 0,
    legalHold: false,
    networks: [],
  };
  const change = [
    changed('organization', organization),
    changed('workspace', { id: ids.workspace, name: 'default', status: 'active' }),
    changed('user', { id: ids.owner, status: 'active' }),
    role(20, ids.owner, 'owner'),
    provider(ids.provider, 'inside', false),
    provider(ids.vendor, 'vendor', true),
    model(ids.model, ids.provider, 'small', { aliases: ['tiny'] }),
    model(ids.otherModel, ids.vendor, 'large'),
    model(ids.spareModel, ids.provider, 'spare'),
    policy(1, defaultPolicyText),
    key(ids.ownerKey, ids.owner, {}),
    key(ids.ownerManagementKey, ids.owner, { use: 'management' }),
  ];
  const actor = { id: 'system', kind: 'system' };
  return managed(1, 0, 'organization.init', change, { actor, policy_text: defaultPolicyText });
}

const aliceKeyState = { models: ['small'], expiresAt: Date.UTC(2025, 11, 31) } as const;

/** Alice and what is hers, one operation after another: versions 2 to 7. */
function people(): readonly Draft[] {
  const agent = {
    id: ids.agent,
    name: 'helper',
    ownerId: ids.alice,
    workspaceId: ids.workspace,
    status: 'active',
  };
  const team = { id: ids.team, workspaceId: ids.workspace, name: 'research' };
  return [
    managed(2, 1, 'user.create', [
      changed('user', { id: ids.alice, status: 'active' }),
      role(21, ids.alice, 'member', { workspaceId: ids.workspace }),
    ]),
    managed(30, 2, 'agent.create', [changed('agent', agent)]),
    managed(31, 3, 'key.create', [key(ids.aliceKey, ids.alice, aliceKeyState)]),
    managed(32, 4, 'key.create', [key(ids.agentKey, ids.agent, {})]),
    managed(33, 5, 'team.create', [changed('team', team)]),
  ];
}

function join(): Draft {
  const membership = {
    id: sampleId('membership', 22),
    principalId: ids.alice,
    teamId: ids.team,
    source: 'direct',
  };
  return managed(3, 6, 'membership.create', [changed('membership', membership)]);
}

/** The version that the sample's calls are decided under: that of its second policy. */
export const sampleVersion = 8;

function publish(text: string, partLength: number): readonly Draft[] {
  const parts = Array.from({ length: Math.ceil(text.length / partLength) }, (_, i) =>
    text.slice(i * partLength, (i + 1) * partLength),
  );
  const first = managed(4, sampleVersion - 1, 'policy.publish', [policy(sampleVersion, text)]);
  if (parts.length === 1) return [{ ...first, policy_text: text }];
  return parts.map((part, i) => ({
    ...first,
    id: i === 0 ? first.id : makeEntryId(startMs, seed(100 + i)),
    change: i === 0 ? first.change : [],
    policy_text: part,
    policy_part: { n: i + 1, of: parts.length },
  }));
}

export type Calling = {
  readonly n: number;
  readonly asked: string;
  readonly actor: Draft;
  readonly policy: Draft;
};

function context({ n, actor }: Calling): Draft {
  return {
    workspace: { __entity: { type: 'Workspace', id: ids.workspace } },
    workspaceName: 'default',
    endpoint: 'chat',
    dialect: 'openai',
    stream: false,
    labels: [],
    counts: { total: 0 },
    opaque: false,
    tokens: 10,
    hostedTools: [],
    time: { epoch: startMs / 1000 + n, hour: 0, weekday: 6 },
    network: [],
    authentication: { proof: 'key', amr: [], strength: 0 },
    key: { id: actor.cred },
    claimed: { tags: [] },
  };
}

/** The intent of a call of the model `asked`, allowed and gone ahead unless `more` says otherwise. */
export function call(policyHash: string, calling: Calling, more: Draft = {}, ctx: Draft = {}): Draft {
  const { n, asked, actor } = calling;
  const isLarge = asked === 'large';
  return {
    ...common(n, sampleVersion),
    type: 'model_call',
    phase: 'intent',
    attempt: 1,
    actor,
    target: {
      endpoint: 'chat',
      model: asked,
      provider: isLarge ? 'vendor' : 'inside',
      resource: isLarge ? ids.otherModel : ids.model,
      served: isLarge ? 'large-1' : 'small-1',
    },
    policy: { version: sampleVersion, hash: policyHash, ...calling.policy },
    ctx: { ...context(calling), ...ctx },
    class: { labels: [] },
    ...more,
  };
}

function outcome(n: number, intent: Draft): Draft {
  const { policy: _policy, ctx: _ctx, id: intentId, ts: _ts, ...rest } = intent;
  const { id: ownId, ts } = common(n, sampleVersion);
  return { ...rest, id: ownId, ts, phase: 'outcome', intent: intentId, status: 'ok' };
}

/**
 * The log: a beginning, a person with an agent, a team, a second policy, then calls that are allowed (a
 * person's, their agent's, the owner's), denied, refused for the key and refused by a budget, and a revocation.
 */
export function makeLog(
  options: { readonly policyText?: string; readonly partLength?: number } = {},
): SampleLog {
  const text = options.policyText ?? policyText;
  const hashed = sha256Hex(text);
  const alice = userActor(ids.alice, ['member'], [ids.team], ids.aliceKey);
  const owner = userActor(ids.owner, ['owner'], [], ids.ownerKey);
  const helper = { ...alice, act: [{ id: ids.agent, kind: 'agent' }], cred: ids.agentKey };
  const allowed = { decision: 'allow', rules: ['members-use-their-workspaces-models'] };
  const forbidden = { decision: 'deny', rules: ['sensitive-prompts-stay-inside'], reason: 'forbid' };
  const narrowed = { decision: 'deny', rules: ['key_narrowed'], reason: 'key_narrowed' };
  const denied = { status: 'denied', err: { code: 'policy_denied' }, class: { labels: ['secret'] } };
  const secret = { labels: ['secret'], counts: { total: 1, secret: 1 } };
  const agent = { agent: { id: ids.agent, name: 'helper', chain: [ids.agent], depth: 1 } };
  const first = call(hashed, { n: 5, asked: 'small', actor: alice, policy: allowed });
  const byAgent = call(hashed, { n: 10, asked: 'tiny', actor: helper, policy: allowed }, {}, agent);
  const byOwner = call(hashed, { n: 12, asked: 'large', actor: owner, policy: allowed });
  const spent = { ...allowed, reason: 'budget_exceeded' };
  const budget = { status: 'refused', err: { code: 'budget_exceeded' } };
  const unknown = {
    status: 'refused',
    err: { code: 'not_found' },
    target: { endpoint: 'chat', model: 'large' },
  };
  const published = publish(text, options.partLength ?? text.length);
  const named = {
    join: join(),
    publish: published[0] ?? {},
    call: first,
    outcome: outcome(6, first),
    'denied call': call(hashed, { n: 7, asked: 'large', actor: owner, policy: forbidden }, denied, secret),
    'narrowed call': call(hashed, { n: 8, asked: 'large', actor: alice, policy: narrowed }, unknown),
    'budget call': call(hashed, { n: 9, asked: 'small', actor: alice, policy: spent }, budget),
    revoke: managed(14, sampleVersion, 'key.revoke', [
      key(ids.aliceKey, ids.alice, { ...aliceKeyState, status: 'revoked' }),
    ]),
  };
  const entries = [
    opening(),
    beginning(),
    ...people(),
    named.join,
    ...published,
    first,
    named.outcome,
    named['denied call'],
    named['narrowed call'],
    named['budget call'],
    byAgent,
    outcome(11, byAgent),
    byOwner,
    outcome(13, byOwner),
    named.revoke,
  ];
  const table = new Map<string, Draft>(Object.entries(named));
  return { entries, idOf: (name) => String(table.get(name)?.id), memberActor: alice };
}
