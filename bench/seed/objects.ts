// Owns the objects of a seeded organization: workspaces, teams, people, keys, models, budgets and limits.

import type { Change } from '@countersign/core/directory/objects';
import type { MeterScope } from '@countersign/core/directory/scalars';
import type { Id, IdKind, KeyId, ModelId, TeamId, UserId, WorkspaceId } from '@countersign/core/ids';
import { formatKey } from '@countersign/core/tokens/key-format';
import { fastModel, slowModel } from '../bodies.ts';

export type SeedTools = {
  readonly newId: <K extends IdKind>(kind: K) => Id<K>;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly sha256Hex: (text: string) => string;
};

/** A person: id, place and sealed profile. */
export type Person = {
  readonly id: UserId;
  readonly workspaceId: WorkspaceId;
  readonly teamId: TeamId;
  readonly email: string;
  readonly name: string;
};

export type SeedKey = { readonly id: KeyId; readonly text: string; readonly owner: Person };
export type SeedTeam = { readonly id: TeamId; readonly workspaceId: WorkspaceId };

export type Seeded = {
  readonly changes: readonly Change[];
  readonly people: readonly Person[];
  readonly keys: readonly SeedKey[];
  readonly teams: readonly SeedTeam[];
  readonly models: readonly ModelId[];
  readonly providerId: Id<'provider'>;
};

const workspaceCount = 5;
const teamsPerWorkspace = 10;
const otherModels = 40;
const keysPerPerson = 10;
/** What the mock provider is sent, and does not look at. */
export const providerKey = 'sk-mock-0000000000000000000000000000';
/** Far above what a run can use: budgets and limits are counted at each call and refuse none. */
const ampleNanos = 4_000_000_000_000_000;
const ampleRate = 1_000_000_000;

const times = <T>(count: number, make: (i: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, i) => make(i));

function at<T>(items: readonly T[], i: number): T {
  const item = items[i % items.length];
  if (item === undefined) throw new Error('nothing to choose from');
  return item;
}

function upstreamChanges(tools: SeedTools, mockPort: number) {
  const providerId = tools.newId('provider');
  const provider: Change = {
    kind: 'provider',
    id: providerId,
    state: {
      id: providerId,
      name: 'mock',
      kind: 'openai_compatible',
      baseUrl: `http://127.0.0.1:${mockPort}/v1`,
      external: true,
      keyCommitment: tools.sha256Hex(`${providerId} ${providerKey}`),
      timeouts: { connectMs: 5_000, firstByteMs: 60_000, idleMs: 60_000 },
      retryStatuses: [],
      status: 'active',
    },
  };
  function model(name: string): Change & { readonly kind: 'model'; readonly id: ModelId } {
    const id = tools.newId('model');
    const price = { input: 1_000_000, output: 2_000_000 };
    return {
      kind: 'model',
      id,
      state: { id, name, aliases: [], providerId, upstreamName: name, price, status: 'active' },
    };
  }
  const called = [fastModel, slowModel].map(model);
  const others = times(otherModels, (i) => model(`other-${i}`));
  return {
    providerId,
    changes: [provider, ...called, ...others],
    models: others.map(({ id }) => id),
    called,
  };
}

function personChanges(tools: SeedTools, person: Person): readonly Change[] {
  const { id, workspaceId, teamId } = person;
  const role = tools.newId('roleAssignment');
  const membership = tools.newId('membership');
  const assigned = { id: role, principalId: id, role: 'member', workspaceId, source: 'direct' } as const;
  return [
    { kind: 'user', id, state: { id, status: 'active' } },
    { kind: 'roleAssignment', id: role, state: assigned },
    {
      kind: 'membership',
      id: membership,
      state: { id: membership, principalId: id, teamId, source: 'direct' },
    },
  ];
}

function limitChanges(
  tools: SeedTools,
  teams: readonly SeedTeam[],
  people: readonly Person[],
): readonly Change[] {
  const scopes: readonly (readonly [string, MeterScope])[] = [
    ['organization', { kind: 'organization' }],
    ...teams.map(({ id }, i) => [`team-${i}`, { kind: 'team', id }] satisfies [string, MeterScope]),
    ...people
      .slice(0, 200)
      .map(({ id }, i) => [`person-${i}`, { kind: 'person', id }] satisfies [string, MeterScope]),
  ];
  return scopes.flatMap(([name, scope]): readonly Change[] => {
    const budget = tools.newId('budget');
    const limit = tools.newId('rateLimit');
    const ample = { period: 'month', limitNanos: ampleNanos, warnAtPercent: 80, action: 'stop' } as const;
    const rates = { requestsPerMinute: ampleRate, tokensPerMinute: ampleRate * 1000, concurrent: 100_000 };
    return [
      { kind: 'budget', id: budget, state: { id: budget, name, scope, ...ample } },
      { kind: 'rateLimit', id: limit, state: { id: limit, name, scope, ...rates } },
    ];
  });
}

function classifierChange(tools: SeedTools): Change {
  const id = tools.newId('classifier');
  const terms = times(50, (i) => `project nightfall ${i}`);
  const kind = { label: 'project_name', patterns: [], caseSensitive: false, wholeWord: true };
  return { kind: 'classifier', id, state: { id, name: 'project-names', terms: [...terms], ...kind } };
}

function keyChange(
  tools: SeedTools,
  i: number,
  owner: Person,
): { readonly key: SeedKey; readonly change: Change } {
  const id = tools.newId('key');
  const text = formatKey(id, tools.randomBytes(32));
  const change: Change = {
    kind: 'key',
    id,
    state: {
      id,
      name: `bench key ${i}`,
      hash: tools.sha256Hex(text),
      use: 'models',
      principalId: owner.id,
      workspaceId: owner.workspaceId,
      requireUser: false,
      status: 'active',
    },
  };
  return { key: { id, text, owner }, change };
}

/** Everything but the policy, as changes in an order in which each can be written. */
export function seedObjects(tools: SeedTools, keyCount: number, mockPort: number): Seeded {
  const workspaces = times(workspaceCount, () => tools.newId('workspace'));
  const teams = times(workspaceCount * teamsPerWorkspace, (i) => {
    return { id: tools.newId('team'), workspaceId: at(workspaces, i) };
  });
  const people = times(Math.max(10, Math.ceil(keyCount / keysPerPerson)), (i): Person => {
    const team = at(teams, i);
    const email = `person-${i}@example.com`;
    return {
      id: tools.newId('user'),
      workspaceId: team.workspaceId,
      teamId: team.id,
      email,
      name: `Person ${i}`,
    };
  });
  const keys = times(keyCount, (i) => keyChange(tools, i, at(people, i)));
  const upstream = upstreamChanges(tools, mockPort);
  const changes: readonly Change[] = [
    ...workspaces.map((id, i): Change => {
      return { kind: 'workspace', id, state: { id, name: `workspace-${i}`, status: 'active' } };
    }),
    ...teams.map(({ id, workspaceId }, i): Change => {
      return { kind: 'team', id, state: { id, workspaceId, name: `team-${i}` } };
    }),
    ...upstream.changes,
    classifierChange(tools),
    ...people.flatMap((person) => personChanges(tools, person)),
    ...limitChanges(tools, teams, people),
    ...keys.map(({ change }) => change),
  ];
  const { providerId, models } = upstream;
  return { changes, people, keys: keys.map(({ key }) => key), teams, models, providerId };
}
