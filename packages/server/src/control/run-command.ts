// Owns the transaction of a management change: the rule, the writes, the entry, the next version, or nothing.

import { decodeChange } from '@countersign/core/directory/decode-change';
import type { Change } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { type Id, type IdKind, makeEntryId, makeId, type OrgId, type RequestId } from '@countersign/core/ids';
import { parseJson } from '@countersign/core/parse-json';
import { isUniqueViolation } from '../platform/db/storage-errors.ts';
import type { Client } from '../services/subjects/subject-key.ts';
import { findReplay, insertReplay } from '../stores/bookkeeping.ts';
import { insertVersion } from '../stores/entries.ts';
import { writeChange } from '../stores/objects.ts';
import type { Tx } from '../stores/schema.ts';
import type { BoundCommand } from './bound-command.ts';
import type { CommandActor, CommandContext, CommandOutcome, Prepared, SecretWrite } from './command.ts';
import { managementEntries } from './management-entry.ts';
import { isLive } from './needed-key.ts';
import type { View } from './view.ts';

/** An organization's log as its transaction holds it. */
type HeldLog = {
  readonly head: { readonly version: number; readonly origin: string };
  readonly append: (entries: readonly Uint8Array[], version: number) => Promise<number>;
};

/** What the thread that commits offers: a transaction that holds an organization's log. */
export type LogTransactions = {
  readonly withLog: <T>(orgId: OrgId, work: (tx: Tx, log: HeldLog) => Promise<T>) => Promise<T>;
};

export type RunDeps = LogTransactions & {
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly sha256Hex: (text: string) => string;
  readonly view: (tx: Tx, orgId: OrgId) => View;
  readonly writeSecret: (tx: Tx, orgId: OrgId, secret: SecretWrite, ctx: CommandContext) => Promise<void>;
  readonly node: string;
  readonly boot: string;
};

export type RunRequest = {
  readonly orgId: OrgId;
  readonly requestId: RequestId;
  readonly operation: string;
  readonly actor: CommandActor;
  /** The version under which the actor was resolved and permitted. */
  readonly version: number;
  readonly idempotencyKey: string | undefined;
  /** From where it came; undefined for what the server does by itself. */
  readonly client: Client | undefined;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly prepared: Prepared;
};

/** `stale`: the organization has moved on since the caller was permitted; permit again and ask again. */
export type RunResult =
  | { readonly kind: 'stale'; readonly version: number }
  | {
      readonly kind: 'done';
      readonly response: unknown;
      readonly version: number;
      readonly changes: readonly Change[];
      /** The id of the entry that records it; undefined for a replay. */
      readonly entryId: string | undefined;
    };

function withoutSecrets(response: unknown, shownOnce: readonly string[]): unknown {
  if (typeof response !== 'object' || response === null) return response;
  return Object.fromEntries(Object.entries(response).filter(([name]) => !shownOnce.includes(name)));
}

function contextOf(deps: RunDeps, request: RunRequest, nextVersion: number): CommandContext {
  const nowMs = deps.now();
  return {
    orgId: request.orgId,
    requestId: request.requestId,
    actor: request.actor,
    nowMs,
    nextVersion,
    newId: <K extends IdKind>(kind: K): Id<K> => makeId(kind, nowMs, deps.randomBytes(10)),
    randomBytes: deps.randomBytes,
    sha256Hex: deps.sha256Hex,
  };
}

async function replayed(tx: Tx, request: RunRequest, requestHash: string): Promise<unknown> {
  if (request.idempotencyKey === undefined) return undefined;
  const replay = await findReplay(tx, request.orgId, request.actor.principalId, request.idempotencyKey);
  if (replay === undefined) return undefined;
  if (replay.requestHash !== requestHash) {
    throw new AppError('conflict', 'this `Idempotency-Key` was used for another request: choose a new one');
  }
  const response: unknown = parseJson(replay.response);
  return response;
}

/** INVARIANT: what is installed in memory and stored is what a reader of the ledger would decode. */
function asRecorded(changes: readonly Change[]): readonly Change[] {
  return changes.map((change) => {
    const json: unknown = parseJson(JSON.stringify(change));
    return decodeChange(json);
  });
}

/** INVARIANT: what is recorded at a time was done with a key that lived then, however long the log was waited for. */
async function demandKeyOfNow(view: Pick<View, 'find'>, { actor, nowMs }: CommandContext): Promise<void> {
  if (actor.keyId === undefined) return;
  const key = await view.find('key', actor.keyId);
  if (key === undefined || !isLive(key.state, nowMs))
    throw new AppError('authentication_failed', 'the key with which you ask has ended: ask with another');
}

type Step = { readonly tx: Tx; readonly log: HeldLog; readonly ctx: CommandContext };

/** Writes what a command decided: objects, secrets, entries, version, replay. */
async function write(
  deps: RunDeps,
  { tx, log, ctx }: Step,
  request: RunRequest,
  outcome: CommandOutcome<unknown>,
  requestHash: string,
): Promise<RunResult> {
  const { orgId } = request;
  const { version, origin } = log.head;
  for (const change of outcome.changes) await writeChange(tx, orgId, ctx.nextVersion, ctx.nowMs, change);
  for (const secret of outcome.secrets ?? []) await deps.writeSecret(tx, orgId, secret, ctx);
  const made = outcome.changes.length > 0 ? ctx.nextVersion : version;
  const entryIds = { now: ctx.nowMs, next: () => makeEntryId(ctx.nowMs, deps.randomBytes(10)) };
  const entries = managementEntries(
    { node: deps.node, boot: deps.boot, origin, version },
    { request, audit: request.operation, outcome, entryIds },
  );
  const first = await log.append(entries.bytes, made);
  if (request.client !== undefined) {
    const { client } = request;
    await deps.writeSecret(tx, orgId, { kind: 'client', entryId: entries.id, client }, ctx);
  }
  if (made !== version) await insertVersion(tx, orgId, made, first);
  if (request.idempotencyKey !== undefined) {
    await insertReplay(tx, orgId, {
      principalId: request.actor.principalId,
      idempotencyKey: request.idempotencyKey,
      requestHash,
      response: JSON.stringify(withoutSecrets(outcome.response, outcome.shownOnce ?? [])),
      nowMs: ctx.nowMs,
    });
  }
  const { response, changes } = outcome;
  return { kind: 'done', response, version: made, changes, entryId: entries.id };
}

/**
 * Runs one command. Refusals are thrown and leave nothing behind. INVARIANT: every write of a command, its
 * entry and the new version are one transaction; a command that changes nothing makes no version.
 */
export async function runCommand(
  deps: RunDeps,
  bound: BoundCommand,
  request: RunRequest,
): Promise<RunResult> {
  const { orgId, operation, params, query, body } = request;
  if (operation !== bound.operation.id)
    throw new AppError('internal', `\`${operation}\` came to another command`);
  const requestHash = deps.sha256Hex(JSON.stringify([operation, params, query, body]));
  try {
    return await deps.withLog(orgId, async (tx, log): Promise<RunResult> => {
      const { version } = log.head;
      if (version !== request.version) return { kind: 'stale', version };
      const before = await replayed(tx, request, requestHash);
      if (before !== undefined)
        return { kind: 'done', response: before, version, changes: [], entryId: undefined };
      const ctx = contextOf(deps, request, version + 1);
      const view = deps.view(tx, orgId);
      await demandKeyOfNow(view, ctx);
      const outcome = await bound.run(view, ctx, request);
      const recorded = { ...outcome, changes: asRecorded(outcome.changes) };
      return write(deps, { tx, log, ctx }, request, recorded, requestHash);
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new AppError('already_exists', 'there is one of this name already: choose another name', {
      cause: error,
    });
  }
}
