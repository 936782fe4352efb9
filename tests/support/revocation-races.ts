// Owns races between calls of a key and the key's revocation, on a replica that hears of changes late or never.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rolePermissions } from '@countersign/core/access/permissions';
import { isId, makeRequestId } from '@countersign/core/ids';
import { composeGateway } from '@countersign/server/compose/gateway';
import type { RunResult } from '@countersign/server/control/run-command';
import { serveInference } from '@countersign/server/gateway/inference';
import { openClientPool } from '@countersign/server/platform/egress/client-pool';
import { createEgress } from '@countersign/server/platform/egress/egress';
import { createLog } from '@countersign/server/platform/log/log';
import { createRegistry } from '@countersign/server/platform/metrics/registry';
import { createRounds } from '@countersign/server/platform/rounds/rounds';
import { createRecorder } from '@countersign/server/services/ledger/recorder';
import { chatCall, countingUpstream } from './call-in-process.ts';
import type { TestGateway } from './gateway.ts';
import { entriesOnDisk } from './ledger-on-disk.ts';
import { at, textAt } from './server.ts';

const random = (count: number): Uint8Array => new Uint8Array(randomBytes(count));
const dice = (sides: number): number => randomBytes(4).readUInt32BE() % sides;

/** Lets up to a few turns of the loop, or milliseconds, pass: two things started so race differently each time. */
async function sometime(): Promise<void> {
  if (dice(3) === 0) {
    const ms = dice(4);
    await new Promise<void>((resolve) => {
      setTimeout(resolve, ms);
    });
    return;
  }
  for (let turns = dice(8); turns > 0; turns -= 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Commands as the owner gives them, straight to the thread that writes; each version follows the last. */
async function createCommander(running: TestGateway) {
  const { threads } = running.server.store;
  const { organizationId, ownerId, workspaceId } = running;
  if (!isId('org', organizationId) || !isId('user', ownerId) || !isId('workspace', workspaceId))
    throw new TypeError('the test server has no organization');
  const organization = await running.must('GET', '/organization');
  let version = Number(at(organization, 'version'));
  const owned = rolePermissions.owner;
  const actor = {
    principalId: ownerId,
    person: ownerId,
    keyId: undefined,
    authority: { workspaceId, inWorkspace: owned, everywhere: owned },
    entryActor: {
      id: ownerId,
      kind: 'user',
      org: organizationId,
      ws: workspaceId,
      roles: ['owner'],
      teams: [],
      proof: 'key',
    },
  } as const;
  return async (operation: string, params: unknown, body: unknown) => {
    const result: RunResult = await threads.writer.call('command', {
      orgId: organizationId,
      requestId: makeRequestId(Date.now(), random(10)),
      operation,
      actor,
      version,
      idempotencyKey: undefined,
      client: undefined,
      params,
      query: {},
      body,
      prepared: null,
    });
    assert.ok(result.kind === 'done', 'only this test changes the organization');
    version = result.version;
    return result;
  };
}

/** A replica over the same store that hears of no change unless it is told; its provider only counts. */
function createDeafReplica(running: TestGateway, isBroken: boolean, onSend: (body: string) => void) {
  const { store } = running.server;
  let stale = 0;
  const rounds = createRounds(setImmediate);
  const recorder = createRecorder({
    commit: async (batches) => {
      const asked = isBroken
        ? batches.map((batch) => ({ ...batch, versions: batch.versions.map(() => -1) }))
        : batches;
      const commits = await store.threads.commit(asked);
      for (const { indices } of commits) stale += indices.filter((index) => index < 0).length;
      return commits;
    },
    maxBatch: 256,
    maxWaiting: 20_000,
    gatherMs: () => 0,
    underWay: rounds.underWay,
  });
  const pool = openClientPool({ egress: createEgress({ allow: [] }) });
  const gateway = composeGateway({
    threads: store.threads,
    recorder,
    rounds,
    pool,
    masterKeys: store.masterKeys.keys,
    verifyToken: async () => ({ isRefused: true, reason: 'no_issuer' }),
    log: createLog({ level: 'silent' }),
    metrics: createRegistry(),
    node: 'replica-2',
    boot: '0123456789abcdef',
  });
  const upstream = countingUpstream(onSend);
  const deps = { ...gateway.deps, upstreamOf: () => upstream };
  return { deps, gateway, stale: () => stale, close: () => pool.close() };
}

/** The entry of a revocation, and the intents of its key's calls that left. */
type Race = { readonly revokedBy: string; readonly calls: readonly string[] };

/** The intents that stand behind the revocation of their key in the organization's log. */
function findLate(running: TestGateway, races: readonly Race[]): readonly string[] {
  const places = new Map(entriesOnDisk(running).map((entry, index) => [textAt(entry, 'id'), index]));
  const place = (id: string): number => places.get(id) ?? assert.fail(`there is no entry \`${id}\``);
  return races.flatMap(({ revokedBy, calls }) => calls.filter((id) => place(id) > place(revokedBy)));
}

/** Calls of one race beside the one after it; each is an interleaving. */
export const callsPerRace = 4;

type RaceOptions = { readonly isBroken?: boolean; readonly onRace?: (over: number) => void };

/**
 * Races calls of new keys against the keys' revocation. `late` are intents that were dispatched although they stand
 * behind the revocation in the ledger. `isBroken` plants the fault: the commit then compares no version. `onRace` is
 * told how many are over.
 */
export async function raceRevocations(running: TestGateway, count: number, options: RaceOptions = {}) {
  const command = await createCommander(running);
  const sent = new Map<string, number>();
  const replica = createDeafReplica(running, options.isBroken === true, (body) =>
    sent.set(body, (sent.get(body) ?? 0) + 1),
  );
  const { snapshots } = replica.deps;
  const { organizationId: orgId, ownerId: principalId, workspaceId } = running;
  if (!isId('org', orgId)) throw new TypeError('no organization');
  await snapshots.get(orgId);
  const done: Race[] = [];
  const totals = { allowed: 0, cut: 0, refused: 0, other: 0 };

  async function ask(key: string, name: string): Promise<readonly string[]> {
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: name }] });
    const { call, reply, done: ended } = chatCall(key, body, random);
    await serveInference(replica.deps, call, reply);
    const { status, refused, headers } = await ended;
    if (status === 200) totals.allowed += 1;
    else if (refused !== 'authentication_failed') totals.other += 1;
    else if (sent.has(body)) totals.cut += 1;
    else totals.refused += 1;
    // Whatever left, cut or not, is held against its intent.
    if (!sent.has(body)) return [];
    const at = headers.indexOf('x-countersign-record');
    assert.ok(at >= 0, `what left has a record that its caller is told: ${status}, ${refused}`);
    return [headers[at + 1] ?? ''];
  }

  for (let i = 0; i < count; i += 1) {
    const made = await command('key.create', {}, { name: 'k', principalId, workspaceId });
    await snapshots.catchUp(orgId, made.version);
    const key = textAt(made.response, 'key');
    const revoke = async () => {
      // A call takes a few turns before its intent is on its way: both sides must win some.
      await sometime();
      await sometime();
      const { entryId, version, changes } = await command(
        'key.revoke',
        { id: textAt(made.response, 'id') },
        {},
      );
      const afterwards = await ask(key, `${i} after`);
      // Half of the broadcasts are lost.
      if (dice(2) === 0) replica.gateway.onStep({ orgId, version, changes, policy: undefined });
      return { entryId: entryId ?? '', afterwards };
    };
    const racing = Array.from({ length: callsPerRace }, async (_, j) => {
      await sometime();
      return ask(key, `${i} ${j}`);
    });
    const [{ entryId, afterwards }, ...calls] = await Promise.all([revoke(), ...racing]);
    done.push({ revokedBy: entryId, calls: [...calls.flat(), ...afterwards] });
    options.onRace?.(done.length);
  }
  await replica.close();
  const dispatched = [...sent.values()].reduce((sum, one) => sum + one, 0);
  return { late: findLate(running, done), totals, dispatched, stale: replica.stale() };
}
