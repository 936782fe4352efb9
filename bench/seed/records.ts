// Owns past calls of a seeded organization: an intent and an outcome each, committed by the server's committer.

import { makeEntryId, makeRequestId, type OrgId } from '@countersign/core/ids';
import type { JsonObject } from '@countersign/core/json';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import { decodeEntry } from '@countersign/core/ledger/entry';
import { encodeBundle } from '@countersign/core/ledger/tile';
import type { Committer } from '@countersign/server/services/ledger/committer';
import type { Seeded, SeedKey, SeedTools } from './objects.ts';

const callsPerBatch = 1_000;
const spacingMs = 40;

type Place = { readonly orgId: OrgId; readonly origin: string; readonly tools: SeedTools };

function actorOf(key: SeedKey, orgId: OrgId): JsonObject {
  const { id, workspaceId, teamId } = key.owner;
  return {
    id,
    kind: 'user',
    org: orgId,
    ws: workspaceId,
    teams: [teamId],
    roles: ['member'],
    proof: 'key',
    cred: key.id,
  };
}

function callEntries(place: Place, seeded: Seeded, key: SeedKey, atMs: number): readonly JsonObject[] {
  const { tools, orgId, origin } = place;
  const id = makeEntryId(atMs, tools.randomBytes(10));
  const money = { cost_nanos: 530_000, currency: 'USD', price_version: 'bench' };
  const common = {
    v: 1,
    type: 'model_call',
    log: origin,
    node: 'bench-seed',
    boot: 'bench-seed',
    sv: 1,
    actor: actorOf(key, orgId),
    req: makeRequestId(atMs, tools.randomBytes(10)),
    attempt: 1,
    target: {
      endpoint: 'chat',
      route: '/v1/chat/completions',
      model: 'mock',
      served: 'mock',
      provider: 'mock',
      resource: seeded.models[0] ?? '',
    },
    class: { labels: [] },
  };
  const intent = {
    ...common,
    id,
    ts: new Date(atMs).toISOString(),
    phase: 'intent',
    policy: {
      decision: 'allow',
      version: 1,
      hash: tools.sha256Hex('policy'),
      rules: ['members-use-their-workspaces-models'],
    },
    ctx: {},
    content: { req_c: tools.sha256Hex(id), req_len: 1000 },
    reserved: { ...money, in: 400, out: 200 },
  };
  const outcome = {
    ...common,
    id: makeEntryId(atMs + 20, tools.randomBytes(10)),
    ts: new Date(atMs + 20).toISOString(),
    phase: 'outcome',
    intent: id,
    status: 'ok',
    usage: { ...money, in: 210, out: 160, source: 'provider' },
    ms: { total: 20, upstream: 18 },
    content: { resp_c: tools.sha256Hex(key.id), resp_len: 1012 },
  };
  return [intent, outcome];
}

/** Commits `count` calls of the past, spread over all keys. Throws if one does not fit the entry's schema. */
export async function seedRecords(
  committer: Committer,
  place: Place,
  seeded: Seeded,
  count: number,
): Promise<void> {
  const { keys } = seeded;
  const startMs = Date.now() - count * spacingMs;
  for (let done = 0; done < count; done += callsPerBatch) {
    const batch = Math.min(callsPerBatch, count - done);
    const texts = Array.from({ length: batch }, (_, i) => {
      const key = keys[(done + i) % keys.length];
      if (key === undefined) throw new Error('records need keys');
      return callEntries(place, seeded, key, startMs + (done + i) * spacingMs).map((entry) =>
        canonicalJson(entry),
      );
    }).flat();
    // One of each batch is held to the schema: they differ in ids and times only.
    const decoded = decodeEntry(texts[done % 2] ?? '');
    if (!decoded.ok) throw new Error(`a seeded entry does not fit: ${decoded.reason}`);
    const bundle = encodeBundle(texts.map((text) => Buffer.from(text, 'utf8')));
    const versions = texts.map(() => -1);
    await committer.commit([{ orgId: place.orgId, bundle, versions, sidecars: [], objects: [] }]);
  }
}
