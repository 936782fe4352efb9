// Owns what tests of administration stand on: organizations in a store of their own, asked as their people would.

import { createHash, createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { applyChanges, emptyDirectory } from '@countersign/core/directory/directory';
import { AppError } from '@countersign/core/errors';
import { standingOf } from '@countersign/core/identity/resolve';
import {
  isId,
  type KeyId,
  makeEntryId,
  makeId,
  makeRequestId,
  type OrgId,
  type PrincipalId,
  type WorkspaceId,
} from '@countersign/core/ids';
import { openDatabase, type StorageConfig } from '../platform/db/open.ts';
import { type MigrationTables, migrate } from '../platform/migrate/migrate.ts';
import { createSealer } from '../platform/sealer/sealer.ts';
import { createCommitter } from '../services/ledger/committer.ts';
import { createProjector } from '../services/ledger/projector.ts';
import { loadOrganization } from '../services/snapshot/read.ts';
import { insertVersion } from '../stores/entries.ts';
import { migrations } from '../stores/migrations/list.ts';
import { writeChange } from '../stores/objects.ts';
import type { Tables } from '../stores/schema.ts';
import type { CommandActor, CommandContext, Prepared } from './command.ts';
import { commands } from './commands.ts';
import { type Initialized, initOrganization } from './init-organization.ts';
import { managementEntries } from './management-entry.ts';
import { queries } from './queries.ts';
import { type RunDeps, runCommand } from './run-command.ts';
import { viewOf } from './view.ts';
import { writeSecret } from './write-secret.ts';

/** Who asks: a principal with a key in one workspace, perhaps through an agent. */
export type Asker = {
  readonly orgId: OrgId;
  readonly principalId: PrincipalId;
  readonly workspaceId: WorkspaceId;
  readonly agent?: string;
  /** The key with which they ask; absent: one without an end. */
  readonly keyId?: KeyId;
};

export type Question = {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
  readonly prepared?: Prepared;
  readonly idempotencyKey?: string;
};

const random = (count: number): Uint8Array => new Uint8Array(randomBytes(count));
const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');
const emailIndex = (email: string): string =>
  createHmac('sha256', 'sample').update(email.trim().toLowerCase()).digest('hex');

function temporaryStore(context: TestContext): StorageConfig {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-control-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return { kind: 'sqlite', directory };
}

async function openStore(context: TestContext, config: StorageConfig) {
  const forMigration = await openDatabase<MigrationTables>(config, 'migrate');
  await migrate(forMigration, migrations).finally(forMigration.close);
  const database = await openDatabase<Tables>(config, 'write');
  context.after(() => database.close());
  return database;
}

/** What a policy check would hand over. `compiled` is Cedar's JSON form, as text. */
export function preparedPolicy(
  text: string,
  compiled = '[]',
): Extract<Prepared, { readonly kind: 'policy' }> {
  return { kind: 'policy', text, hash: sha256Hex(text), compiled, warnings: [] };
}

function firstContext(orgId: OrgId, nowMs: number): CommandContext {
  const workspaceId = makeId('workspace', nowMs, random(10));
  return {
    orgId,
    requestId: makeRequestId(nowMs, random(10)),
    actor: {
      principalId: makeId('user', nowMs, random(10)),
      person: undefined,
      keyId: undefined,
      authority: { workspaceId, inWorkspace: new Set(), everywhere: new Set() },
      entryActor: { id: 'system', kind: 'system' },
    },
    nowMs,
    nextVersion: 1,
    newId: (kind) => makeId(kind, nowMs, random(10)),
    randomBytes: random,
    sha256Hex,
  };
}

function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null;
}

/** A member of an answer that must be text. */
export function textOf(answer: unknown, name: string): string {
  const value = isRecord(answer) ? answer[name] : undefined;
  if (typeof value !== 'string') throw new AppError('internal', `the answer has no text \`${name}\``);
  return value;
}

/** A store with its writer's parts, on a clock that tests move. Embedded, unless told otherwise; closed with the test. */
export async function openSampleStore(context: TestContext, config = temporaryStore(context)) {
  const { db, dialect } = await openStore(context, config);
  const clock = { nowMs: Date.UTC(2026, 10, 22, 12) };
  const now = (): number => {
    clock.nowMs += 1;
    return clock.nowMs;
  };
  const masterKey = { id: 'sample', key: random(32) };
  const sealer = createSealer([masterKey]);
  const locksRows = dialect === 'postgres';
  const committer = createCommitter({
    db,
    locksRows,
    sealer,
    now,
    onCheckpoint: () => {},
    onAltered: () => {},
  });
  const deps: RunDeps = {
    withLog: committer.withLog,
    now,
    randomBytes: random,
    sha256Hex,
    view: (tx, orgId) => viewOf(tx, orgId, sealer, emailIndex),
    writeSecret: (tx, orgId, secret, ctx) => writeSecret({ sealer, emailIndex }, tx, orgId, secret, ctx),
    node: 'node-1',
    boot: 'boot-1',
  };
  return { db, locksRows, clock, committer, masterKey, sealer, deps, projector: createProjector(db) };
}

export type SampleStore = Awaited<ReturnType<typeof openSampleStore>>;
export type SampleOrganization = Initialized & { readonly owner: Asker };

/** An organization of its own, with its owner. */
export async function makeOrganization(store: SampleStore, slug: string): Promise<SampleOrganization> {
  const { deps } = store;
  const orgId = makeId('org', deps.now(), random(10));
  const ctx = firstContext(orgId, deps.now());
  const outcome = initOrganization(ctx, {
    slug,
    ownerEmail: `owner@${slug}.example`,
    ownerName: `Owner of ${slug}`,
    policy: preparedPolicy('permit (principal, action, resource);'),
  });
  const log = { kind: 'organization', origin: `ledger.example/${orgId}` } as const;
  await store.committer.withNewLog(orgId, log, async (tx, opened) => {
    for (const change of outcome.changes) await writeChange(tx, orgId, 1, ctx.nowMs, change);
    for (const secret of outcome.secrets ?? []) await deps.writeSecret(tx, orgId, secret, ctx);
    const entries = managementEntries(
      { node: deps.node, boot: deps.boot, origin: opened.head.origin, version: 0 },
      {
        request: ctx,
        audit: 'organization.init',
        outcome,
        entryIds: { now: ctx.nowMs, next: () => makeEntryId(ctx.nowMs, random(10)) },
      },
    );
    await insertVersion(tx, orgId, 1, await opened.append(entries.bytes, 1));
  });
  const { ownerId, workspaceId } = outcome.response;
  return { ...outcome.response, owner: { orgId, principalId: ownerId, workspaceId } };
}

/** The asker's authority as a snapshot of this moment would resolve it. */
async function resolve(
  store: SampleStore,
  asker: Asker,
): Promise<{ readonly actor: CommandActor; readonly version: number }> {
  const loaded = await loadOrganization(store.db, asker.orgId);
  if (loaded === undefined) throw new AppError('not_found', 'there is no such organization');
  const directory = emptyDirectory(asker.orgId);
  applyChanges(directory, loaded.version, loaded.changes);
  const { principalId, workspaceId, agent } = asker;
  const standing = standingOf(directory, principalId, workspaceId);
  const isUser = isId('user', principalId);
  const actor: CommandActor = {
    principalId,
    person: isUser ? principalId : undefined,
    keyId: asker.keyId,
    authority: { workspaceId, inWorkspace: standing.permissions, everywhere: standing.everywhere },
    entryActor: {
      id: principalId,
      kind: isUser ? 'user' : 'service',
      org: asker.orgId,
      ws: workspaceId,
      proof: 'key',
      ...(agent === undefined ? {} : { act: [{ id: agent, kind: 'agent' }] }),
    },
  };
  return { actor, version: loaded.version };
}

/** Runs a command as the asker, as one whom the protocol has let through. Refusals reject. */
export async function command(
  store: SampleStore,
  asker: Asker,
  operation: string,
  question: Question = {},
): Promise<unknown> {
  const bound = commands.get(operation);
  if (bound === undefined) throw new AppError('internal', `there is no command \`${operation}\``);
  const { actor, version } = await resolve(store, asker);
  const result = await runCommand(store.deps, bound, {
    orgId: asker.orgId,
    requestId: makeRequestId(store.deps.now(), random(10)),
    operation,
    actor,
    version,
    idempotencyKey: question.idempotencyKey,
    client: undefined,
    params: question.params ?? {},
    query: question.query ?? {},
    body: question.body ?? null,
    prepared: question.prepared ?? null,
  });
  if (result.kind === 'stale') throw new AppError('internal', 'the organization moved on by itself');
  await store.projector.drain(asker.orgId);
  return result.response;
}

/** Asks a query as the asker. */
export async function query(
  store: SampleStore,
  asker: Asker,
  operation: string,
  question: Question = {},
): Promise<unknown> {
  const bound = queries.get(operation);
  if (bound === undefined) throw new AppError('internal', `there is no query \`${operation}\``);
  const { actor } = await resolve(store, asker);
  const { orgId } = asker;
  const ctx = { orgId, actor, store: store.db, opener: store.sealer, nowMs: store.deps.now() };
  return bound.run(ctx, {
    orgId,
    operation,
    actor,
    params: question.params ?? {},
    query: question.query ?? {},
    body: question.body ?? null,
    prepared: question.prepared ?? null,
  });
}

/** Makes something by a command and gives its id. */
export async function make(
  store: SampleStore,
  asker: Asker,
  operation: string,
  body: unknown,
): Promise<string> {
  return textOf(await command(store, asker, operation, { body }), 'id');
}

/** A new person with a role, ready to ask. Without a workspace the role holds everywhere. */
export async function makePerson(
  store: SampleStore,
  by: Asker,
  name: string,
  role: string,
  workspaceId?: WorkspaceId,
): Promise<Asker> {
  const body = { email: `${name}@people.example`, name, role, workspaceId };
  const id = await make(store, by, 'user.create', body);
  if (!isId('user', id)) throw new AppError('internal', 'a new person has no id');
  return { orgId: by.orgId, principalId: id, workspaceId: workspaceId ?? by.workspaceId };
}
