// Owns the entry of an operation that was denied: what somebody reached for leaves a trace though nothing changed.

import { AppError, type ErrorCode } from '@countersign/core/errors';
import type { EntryId, OrgId, RequestId } from '@countersign/core/ids';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import type { ToRecord } from '../services/ledger/recorder.ts';
import type { CommandActor } from './command.ts';

type DenialDeps = {
  readonly now: () => number;
  readonly newEntryId: () => EntryId;
  readonly node: string;
  readonly boot: string;
  readonly record: (entry: ToRecord) => Promise<unknown>;
};

/** Who asked for what, in which organization. */
type Asked = {
  readonly call: { readonly operation: { readonly id: string }; readonly requestId: RequestId };
  readonly actor: Pick<CommandActor, 'entryActor'>;
  readonly snapshot: { readonly orgId: OrgId; readonly origin: string; readonly version: () => number };
};

/** Refusals that an auditor asks about: `denied` for want of authority, `refused` by a duty to keep. */
const recorded: ReadonlyMap<ErrorCode, 'denied' | 'refused'> = new Map([
  ['permission_denied', 'denied'],
  ['second_person_required', 'denied'],
  ['legal_hold', 'refused'],
  ['retention_not_met', 'refused'],
]);

/**
 * Records the refusal if it is one that is recorded; does nothing for any other error. INVARIANT: it is durable
 * before the caller is told, so it rejects with `ledger_unavailable` where it cannot be recorded.
 */
export async function recordDenial(deps: DenialDeps, asked: Asked, error: unknown): Promise<void> {
  const status = error instanceof AppError ? recorded.get(error.code) : undefined;
  if (!(error instanceof AppError) || status === undefined) return;
  const { call, actor, snapshot } = asked;
  const text = canonicalJson({
    v: 1,
    id: deps.newEntryId(),
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
  await deps.record({ orgId: snapshot.orgId, text, version: -1 });
}
