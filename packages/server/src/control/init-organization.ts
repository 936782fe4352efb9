// Owns the first change of an organization: itself, its owner, a workspace, the sandbox, a policy and two keys.

import type { Change, Key } from '@countersign/core/directory/objects';
import { makeId, type OrgId, type UserId, type WorkspaceId } from '@countersign/core/ids';
import { formatKey } from '@countersign/core/tokens/key-format';
import type { CommandContext, CommandOutcome, Prepared } from './command.ts';
import { changed } from './command.ts';

export type InitInput = {
  readonly slug: string;
  readonly ownerEmail: string;
  readonly ownerName: string;
  readonly policy: Extract<Prepared, { readonly kind: 'policy' }>;
};

/** What is shown once: ids, and the two keys to begin with. */
export type Initialized = {
  readonly organizationId: OrgId;
  readonly ownerId: UserId;
  readonly workspaceId: WorkspaceId;
  readonly managementKey: string;
  readonly modelsKey: string;
};

function firstKey(
  ctx: CommandContext,
  use: Key['use'],
  principalId: UserId,
  workspaceId: WorkspaceId,
): { readonly text: string; readonly change: Change } {
  const id = ctx.newId('key');
  const text = formatKey(id, ctx.randomBytes(32));
  const state: Key = {
    id,
    name: `first ${use} key`,
    hash: ctx.sha256Hex(text),
    use,
    principalId,
    workspaceId,
    requireUser: false,
    status: 'active',
  };
  return { text, change: changed({ kind: 'key', id, state }) };
}

function sandbox(ctx: CommandContext): readonly Change[] {
  const providerId = ctx.newId('provider');
  const modelId = ctx.newId('model');
  return [
    changed({
      kind: 'provider',
      id: providerId,
      state: {
        id: providerId,
        name: 'sandbox',
        kind: 'sandbox',
        external: false,
        timeouts: { connectMs: 5_000, firstByteMs: 60_000, idleMs: 60_000 },
        retryStatuses: [],
        status: 'active',
      },
    }),
    changed({
      kind: 'model',
      id: modelId,
      state: {
        id: modelId,
        name: 'sandbox',
        aliases: [],
        providerId,
        upstreamName: 'sandbox',
        price: { input: 1_000_000, output: 2_000_000 },
        status: 'active',
      },
    }),
  ];
}

function organization({ orgId }: CommandContext, slug: string): Change {
  return changed({
    kind: 'organization',
    id: orgId,
    state: {
      id: orgId,
      slug,
      currency: 'USD',
      contentMode: 'commitment',
      contentByLabel: {},
      clientMode: 'sealed',
      outputCeiling: 32_768,
      defaultPrice: { input: 15_000_000, output: 75_000_000 },
      minimumRetentionDays: 0,
      legalHold: false,
      networks: [],
    },
  });
}

/** Everything that an organization begins with, as the changes of its version 1. */
export function initOrganization(ctx: CommandContext, input: InitInput): CommandOutcome<Initialized> {
  const { orgId } = ctx;
  const workspaceId = ctx.newId('workspace');
  const ownerId = ctx.newId('user');
  const assignmentId = makeId('roleAssignment', ctx.nowMs, ctx.randomBytes(10));
  const management = firstKey(ctx, 'management', ownerId, workspaceId);
  const models = firstKey(ctx, 'models', ownerId, workspaceId);
  const { hash, text, compiled } = input.policy;
  const version = ctx.nextVersion;
  return {
    response: {
      organizationId: orgId,
      ownerId,
      workspaceId,
      managementKey: management.text,
      modelsKey: models.text,
    },
    changes: [
      organization(ctx, input.slug),
      changed({
        kind: 'workspace',
        id: workspaceId,
        state: { id: workspaceId, name: 'default', status: 'active' },
      }),
      changed({ kind: 'user', id: ownerId, state: { id: ownerId, status: 'active' } }),
      changed({
        kind: 'roleAssignment',
        id: assignmentId,
        state: { id: assignmentId, principalId: ownerId, role: 'owner', source: 'direct' },
      }),
      ...sandbox(ctx),
      changed({ kind: 'policy', id: orgId, state: { id: orgId, version, hash } }),
      management.change,
      models.change,
    ],
    secrets: [
      {
        kind: 'subject',
        id: ownerId,
        profile: { email: input.ownerEmail, ...(input.ownerName === '' ? {} : { name: input.ownerName }) },
      },
      { kind: 'policy_text', version, hash, text, compiled },
    ],
    entry: { type: 'management', policyText: text },
  };
}
