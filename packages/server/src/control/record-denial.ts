// Owns the entry of an operation that was denied: what somebody reached for leaves a trace though nothing changed.

import { AppError, type ErrorCode } from '@countersign/core/errors';
import type { EntryId, RequestId } from '@countersign/core/ids';
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
    readonly operation: { readonly id: string };
    readonly requestId: RequestId;
    readonly address: string;
    readonly userAgent: string | undefined;
  };
  readonly actor: Pick<CommandActor, 'entryActor' | 'principalId'>;
  readonly snapshot: Pick<OrgSnapshot, 'orgId' | 'origin' | 'version' | 'organization'>;
};

/** Refusals that an auditor asks about: `denied` for want of authority, `refused` by a duty to keep. */
const recorded: ReadonlyMap<ErrorCode, 'denied' | 'refused'> = new Map([
  ['permission_denied', 'denied'],
  ['second_person_required', 'denied'],
  ['legal_hold', 'refused'],
  ['retention_not_met', 'refused'],
]);

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
  const status = error instanceof AppError ? recorded.get(error.code) : undefined;
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
    type: 'management',
    op: call.operation.id,
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
