// Owns the objects, people and keys of the sample log that replay is tested with.

import { hash } from 'node:crypto';
import { type IdKind, makeEntryId, makeId, makeRequestId } from '@countersign/core/ids';

/** An entry before it is text: any members. */
export type Draft = { readonly [member: string]: unknown };

export const startMs = Date.UTC(2025, 10, 22, 0, 1);
export const seed = (n: number): Uint8Array =>
  Uint8Array.from({ length: 10 }, (_, i) => (n * 31 + i * 7) & 255);
export const sampleId = <K extends IdKind>(kind: K, n: number) => makeId(kind, startMs, seed(n));

export const ids = {
  org: sampleId('org', 1),
  workspace: sampleId('workspace', 2),
  team: sampleId('team', 3),
  owner: sampleId('user', 4),
  alice: sampleId('user', 5),
  agent: sampleId('agent', 6),
  provider: sampleId('provider', 7),
  vendor: sampleId('provider', 8),
  model: sampleId('model', 9),
  otherModel: sampleId('model', 10),
  spareModel: sampleId('model', 29),
  ownerKey: sampleId('key', 11),
  ownerManagementKey: sampleId('key', 12),
  aliceKey: sampleId('key', 13),
  agentKey: sampleId('key', 14),
};

export const origin = `gateway.example/${ids.org}`;
const sampleHash = 'ab'.repeat(32);

/** SHA-256 of the text as UTF-8 in hex. */
export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}

export const common = (n: number, sv: number) => ({
  v: 1,
  id: makeEntryId(startMs, seed(n)),
  log: origin,
  ts: new Date(startMs + n * 1000).toISOString(),
  node: 'sample',
  boot: 'sample',
  sv,
  req: makeRequestId(startMs, seed(n)),
});

export const userActor = (
  principal: string,
  roles: readonly string[],
  teams: readonly string[],
  cred: string,
) => ({
  id: principal,
  kind: 'user',
  org: ids.org,
  ws: ids.workspace,
  teams,
  roles,
  proof: 'key',
  cred,
});

export const managed = (
  n: number,
  sv: number,
  op: string,
  change: readonly Draft[],
  more: Draft = {},
): Draft => ({
  ...common(n, sv),
  type: 'management',
  status: 'ok',
  op,
  actor: userActor(ids.owner, ['owner'], [], ids.ownerManagementKey),
  change,
  ...more,
});

export const changed = (kind: string, state: Draft): Draft => ({ kind, id: state.id, state });
export const key = (keyId: string, principalId: string, more: Draft): Draft =>
  changed('key', {
    id: keyId,
    name: 'sample',
    hash: sampleHash,
    use: 'models',
    principalId,
    workspaceId: ids.workspace,
    requireUser: false,
    status: 'active',
    ...more,
  });
export const model = (modelId: string, providerId: string, name: string, more: Draft = {}): Draft =>
  changed('model', {
    id: modelId,
    name,
    aliases: [],
    providerId,
    upstreamName: `${name}-1`,
    status: 'active',
    ...more,
  });
export const provider = (providerId: string, name: string, external: boolean): Draft =>
  changed('provider', {
    id: providerId,
    name,
    kind: 'sandbox',
    external,
    timeouts: { connectMs: 5000, firstByteMs: 5000, idleMs: 5000 },
    retryStatuses: [],
    status: 'active',
  });
export const role = (n: number, principalId: string, name: string, more: Draft = {}): Draft =>
  changed('roleAssignment', {
    id: sampleId('roleAssignment', n),
    principalId,
    role: name,
    source: 'direct',
    ...more,
  });
export const policy = (version: number, text: string): Draft =>
  changed('policy', { id: ids.org, version, hash: sha256Hex(text) });
