// Owns the entry of an operation that was denied or refused: what somebody tried leaves a trace though nothing changed.

import { AppError, type ErrorCode } from '@countersign/core/errors';
import {
  type EntryId,
  type IdKind,
  idPrefixes,
  isEntryId,
  isId,
  isRequestId,
  type RequestId,
} from '@countersign/core/ids';
import { isObject, type JsonObject } from '@countersign/core/json';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import type { ToRecord } from '../services/ledger/recorder.ts';
import type { OrgSnapshot } from '../services/snapshot/org-snapshot.ts';
import { clientBytes, clientOf } from '../services/subjects/clients.ts';
import type { SubjectKeys } from '../services/subjects/key-cache.ts';
import { sealContent } from '../services/subjects/sealed-content.ts';
import type { Sidecar } from '../stores/secrets.ts';
import type { CommandActor } from './command.ts';

type DenialDeps = {
  readonly now: () => number;
  readonly newEntryId: () => EntryId;
  readonly node: string;
  readonly boot: string;
  readonly record: (entry: ToRecord) => Promise<unknown>;
  readonly subjectKey: SubjectKeys['get'];
};

/** Who asked for what, in which organization. */
type Asked = {
  readonly call: {
    readonly operation: { readonly id: string; readonly runs: 'command' | 'query' | 'live' };
    readonly requestId: RequestId;
    readonly address: string;
    readonly userAgent: string | undefined;
    readonly path: { readonly [name: string]: string };
  };
  readonly actor: Pick<CommandActor, 'entryActor' | 'principalId'>;
  readonly snapshot: Pick<OrgSnapshot, 'orgId' | 'origin' | 'version' | 'organization'>;
  /** As its schema has it; undefined where it was refused before it was read. */
  readonly body: unknown;
};

type Status = 'denied' | 'refused';

/** Refusals that an auditor asks about: `denied` for want of authority, `refused` by a duty to keep. */
const recorded: ReadonlyMap<ErrorCode, Status> = new Map([
  ['permission_denied', 'denied'],
  ['second_person_required', 'denied'],
  ['legal_hold', 'refused'],
  ['retention_not_met', 'refused'],
]);

/** The same of what would have changed something: what is there says no, or is not there for whoever asks. */
const recordedOfCommands: ReadonlyMap<ErrorCode, Status> = new Map([
  ['conflict', 'refused'],
  ['already_exists', 'refused'],
  ['not_found', 'refused'],
]);

function statusOf({ code }: AppError, { runs }: Asked['call']['operation']): Status | undefined {
  return recorded.get(code) ?? (runs === 'command' ? recordedOfCommands.get(code) : undefined);
}

function isIdKind(name: string): name is IdKind {
  return Object.hasOwn(idPrefixes, name);
}
const kinds = Object.keys(idPrefixes).filter(isIdKind);

/** What a path names. INVARIANT: only an id of our own forms; any other text of a caller's has no place in the record. */
function namedIn(path: Asked['call']['path']): string | undefined {
  return Object.values(path).find(
    (text) => isEntryId(text) || isRequestId(text) || kinds.some((kind) => isId(kind, text)),
  );
}

/** The members that say what it was about, under the type that its entry would have had. */
function aboutOf({ call, body }: Asked): JsonObject {
  const { id } = call.operation;
  const named = namedIn(call.path);
  const stated = isObject(body) && typeof body.reason === 'string' ? { reason: body.reason } : {};
  if (id === 'record.content' && named !== undefined && (isEntryId(named) || isRequestId(named)))
    return { type: 'content_read', record: named, ...stated };
  if (id === 'user.erase' && named !== undefined && isId('user', named))
    return { type: 'erasure', subject: named, ...stated };
  const target = named === undefined ? {} : { target: { resource: named } };
  return { type: 'management', op: id, ...target, ...stated };
}

/** From where the refused call came, sealed; nothing where the organization keeps none, or the caller was erased. */
async function clientSidecars(
  deps: DenialDeps,
  { call, actor, snapshot }: Asked,
  entryId: EntryId,
): Promise<readonly Sidecar[]> {
  const { orgId } = snapshot;
  const subjectId = actor.principalId;
  const key = await deps.subjectKey(orgId, subjectId);
  if (key === undefined || snapshot.organization().clientMode === 'none') return [];
  const bytes = clientBytes(clientOf(call.address, call.userAgent));
  const sealed = sealContent(key.object, orgId, entryId, 'client', bytes);
  return [{ entryId, purpose: 'client', subjectId, sealed }];
}

/**
 * Records the refusal if it is one that is recorded; does nothing for any other error. INVARIANT: it is durable
 * before the caller is told, so it rejects with `ledger_unavailable` where it cannot be recorded.
 */
export async function recordDenial(deps: DenialDeps, asked: Asked, error: unknown): Promise<void> {
  const status = error instanceof AppError ? statusOf(error, asked.call.operation) : undefined;
  if (!(error instanceof AppError) || status === undefined) return;
  const { call, actor, snapshot } = asked;
  const id = deps.newEntryId();
  const text = canonicalJson({
    v: 1,
    id,
    log: snapshot.origin,
    ts: new Date(deps.now()).toISOString(),
    node: deps.node,
    boot: deps.boot,
    sv: snapshot.version(),
    ...aboutOf(asked),
    actor: actor.entryActor,
    req: call.requestId,
    status,
    err: { code: error.code },
  });
  await deps.record({
    orgId: snapshot.orgId,
    text,
    version: -1,
    sidecars: await clientSidecars(deps, asked, id),
  });
}
