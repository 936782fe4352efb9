// Owns the walk of a management operation: who asks, may they, run it where it runs, again if the ground moved.

import type { Operation } from '@countersign/contract/operation';
import type { Authority } from '@countersign/core/access/authority';
import { AppError, assertNever } from '@countersign/core/errors';
import type { EntryId, OrgId, RequestId } from '@countersign/core/ids';
import { type Authenticated, authenticate, type CallerDeps } from '../services/callers/authenticate.ts';
import { entryActor, resolve } from '../services/callers/resolve.ts';
import type { ToRecord } from '../services/ledger/recorder.ts';
import type { OrgSnapshot } from '../services/snapshot/org-snapshot.ts';
import { clientOf } from '../services/subjects/clients.ts';
import type { SubjectKeys } from '../services/subjects/key-cache.ts';
import type { CommandActor, Prepared } from './command.ts';
import { shownResponse } from './operation-input.ts';
import { recordDenial } from './record-denial.ts';
import type { RunRequest, RunResult } from './run-command.ts';
import type { QueryRequest } from './run-query.ts';
import { createTurns, type Turns } from './turns.ts';

/** A call of one operation, its input not yet read. */
export type OperationCall = {
  readonly operation: Operation;
  readonly requestId: RequestId;
  readonly rawHeaders: readonly string[];
  readonly address: string;
  readonly userAgent: string | undefined;
  readonly idempotencyKey: string | undefined;
  /** What the path names, as it came. */
  readonly path: { readonly [name: string]: string };
};

export type OperationInput = { readonly params: unknown; readonly query: unknown; readonly body: unknown };

/** A call whose caller may make it, as of `version`. */
export type Permitted = {
  readonly call: OperationCall;
  readonly authenticated: Authenticated<OrgSnapshot>;
  readonly actor: CommandActor;
  readonly version: number;
};

/** An operation that is answered from memory. */
export type LiveOperation = (
  snapshot: OrgSnapshot,
  actor: CommandActor,
  input: OperationInput,
  prepared: Prepared,
) => Promise<unknown> | unknown;

export type ManagerDeps = CallerDeps<OrgSnapshot> & {
  readonly now: () => number;
  readonly newEntryId: () => EntryId;
  readonly node: string;
  readonly boot: string;
  readonly record: (entry: ToRecord) => Promise<unknown>;
  readonly subjectKey: SubjectKeys['get'];
  readonly command: (request: RunRequest) => Promise<RunResult>;
  readonly query: (request: QueryRequest) => Promise<unknown>;
  /** Brings the organization in memory to a version: a caller sees what they wrote. */
  readonly catchUp: (orgId: OrgId, version: number) => Promise<void>;
  /** Brings the projection up to date before it is read. */
  readonly drain: (orgId: OrgId) => Promise<void>;
  /** What must be done before the transaction, and waits: the check of a policy. */
  readonly prepare: (snapshot: OrgSnapshot, operation: Operation, input: OperationInput) => Promise<Prepared>;
  readonly live: ReadonlyMap<string, LiveOperation>;
};

export type Manager = {
  /** Rejects with `authentication_failed`, or with `permission_denied` after recording it. */
  readonly permit: (call: OperationCall) => Promise<Permitted>;
  /** Rejects with what refused; a denial that the operation itself finds is recorded before. */
  readonly run: (permitted: Permitted, input: OperationInput) => Promise<unknown>;
};

const maxRetakes = 20;
/** How long a change waits for those before it, in milliseconds. */
const turnMs = 15_000;

/** The call with who makes it, as the newest version has them; not yet permitted. */
function resolved(
  deps: ManagerDeps,
  call: OperationCall,
  authenticated: Authenticated<OrgSnapshot>,
): Permitted {
  const { snapshot } = authenticated;
  const { actor, version } = resolve(deps, call, authenticated, 'management');
  const { standing } = actor;
  const authority: Authority = {
    workspaceId: standing.workspaceId,
    inWorkspace: standing.permissions,
    everywhere: standing.everywhere,
  };
  const commandActor: CommandActor = {
    principalId: actor.principalId,
    person: actor.person,
    keyId: actor.keyId,
    authority,
    entryActor: entryActor(snapshot, actor, deps.now()),
  };
  return { call, authenticated, actor: commandActor, version };
}

/** Throws `permission_denied` unless the caller holds one of the operation's permissions. */
function demandOperation({ call, actor }: Permitted): void {
  const { permission } = call.operation;
  if (permission.some((one) => actor.authority.inWorkspace.has(one))) return;
  const wanted = permission.map((one) => `\`${one}\``).join(' or ');
  throw new AppError(
    'permission_denied',
    `this needs the permission ${wanted}: ask an owner for a role that has it`,
  );
}

/** Runs a step of a call; a refusal by it is recorded before it is told. */
async function recordingDenials<T>(
  deps: ManagerDeps,
  permitted: Permitted,
  step: () => T | Promise<T>,
  input?: OperationInput,
): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const { call, authenticated, actor } = permitted;
    await recordDenial(deps, { call, actor, snapshot: authenticated.snapshot, body: input?.body }, error);
    throw error;
  }
}

/** Commands that read the projection: what was recorded before they were asked must be in it. */
const readsProjection: ReadonlySet<string> = new Set(['record.content', 'user.erase']);

/**
 * The caller as they are now. INVARIANT: a body takes as long to come as its sender likes, and a policy long to be
 * checked: whose credential has ended meanwhile is refused as if they had asked now.
 */
function permittedAgain(deps: ManagerDeps, { call, authenticated }: Permitted): Permitted {
  const permitted = resolved(deps, call, authenticated);
  demandOperation(permitted);
  return permitted;
}

/** What an operation needs before it runs; then its caller once more. */
async function prepared(
  deps: ManagerDeps,
  first: Permitted,
  input: OperationInput,
): Promise<{ readonly permitted: Permitted; readonly prepared: Prepared }> {
  const made = await deps.prepare(first.authenticated.snapshot, first.call.operation, input);
  return { permitted: permittedAgain(deps, first), prepared: made };
}

/** Runs a command over the newest version, again if that has moved on. */
async function retaken(
  deps: ManagerDeps,
  first: Permitted,
  input: OperationInput & { readonly prepared: Prepared },
): Promise<unknown> {
  const { orgId } = first.authenticated.snapshot;
  let permitted = permittedAgain(deps, first);
  for (let take = 0; take < maxRetakes; take += 1) {
    const { call, actor, version } = permitted;
    const result = await deps.command({
      ...input,
      orgId,
      actor,
      version,
      requestId: call.requestId,
      operation: call.operation.id,
      idempotencyKey: call.idempotencyKey,
      client: clientOf(call.address, call.userAgent),
    });
    await deps.catchUp(orgId, result.version);
    if (result.kind === 'done') return result.response;
    permitted = permittedAgain(deps, first);
  }
  throw new AppError('overloaded', 'the organization is changing too fast: retry shortly', {
    retryAfterSeconds: 1,
  });
}

/** An erasure may be answered late, while something reads the database for long: nobody's change waits for it. */
const besides: ReadonlySet<string> = new Set(['user.erase']);

async function runCommandOf(
  deps: ManagerDeps,
  inTurn: Turns,
  first: Permitted,
  input: OperationInput,
): Promise<unknown> {
  const { orgId } = first.authenticated.snapshot;
  const { id } = first.call.operation;
  if (readsProjection.has(id)) await deps.drain(orgId);
  const ready = await prepared(deps, first, input);
  const own = `${orgId} ${first.actor.principalId}`;
  return inTurn(besides.has(id) ? [own] : [own, orgId], () =>
    retaken(deps, first, { ...input, prepared: ready.prepared }),
  );
}

/** Operations whose answers come from the projection of the ledger, by their tags. */
const projected: ReadonlySet<string> = new Set(['records', 'usage', 'budgets', 'keys']);

/** The checkpoint that an export begins with covers every call that was answered. */
const covering = 'ledger.checkpoint';

async function runQueryOf(deps: ManagerDeps, first: Permitted, input: OperationInput): Promise<unknown> {
  const { orgId } = first.authenticated.snapshot;
  const { tag, id } = first.call.operation;
  if (projected.has(tag) || id === covering) await deps.drain(orgId);
  const ready = await prepared(deps, first, input);
  const { actor } = ready.permitted;
  return deps.query({ ...input, orgId, actor, prepared: ready.prepared, operation: id });
}

async function runOf(
  deps: ManagerDeps,
  inTurn: Turns,
  first: Permitted,
  input: OperationInput,
): Promise<unknown> {
  const { operation } = first.call;
  const { snapshot } = first.authenticated;
  switch (operation.runs) {
    case 'command':
      return runCommandOf(deps, inTurn, first, input);
    case 'query':
      return runQueryOf(deps, first, input);
    case 'live': {
      const live = deps.live.get(operation.id);
      if (live === undefined) throw new AppError('internal', `\`${operation.id}\` has no implementation`);
      const ready = await prepared(deps, first, input);
      return shownResponse(operation, await live(snapshot, ready.permitted.actor, input, ready.prepared));
    }
    default:
      return assertNever(operation.runs);
  }
}

/** The manager over its ports. */
export function createManager(deps: ManagerDeps): Manager {
  const inTurn = createTurns(turnMs);
  return {
    async permit(call) {
      const permitted = resolved(deps, call, await authenticate(deps, call));
      await recordingDenials(deps, permitted, () => demandOperation(permitted));
      return permitted;
    },
    run: (permitted, input) =>
      recordingDenials(deps, permitted, () => runOf(deps, inTurn, permitted, input), input),
  };
}
