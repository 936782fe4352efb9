// Owns step 7: the decision is durable before anything leaves; one that has aged is taken again.

import { AppError } from '@countersign/core/errors';
import type { EntryId } from '@countersign/core/ids';
import type { SubjectKey } from '../../services/subjects/subject-key.ts';
import type { Sidecar } from '../../stores/secrets.ts';
import { type Admission, type Asked, admit } from '../admit.ts';
import type { GatewayDeps } from '../deps.ts';
import { type CallEntry, intentText, outcomeText } from '../entries.ts';
import { type ClientRecord, clientRecord } from './client.ts';
import { contentSidecar } from './sidecar.ts';
import { briefEntry, refuseUnrecordable } from './unrecordable.ts';

export type Admitted = Extract<Admission, { readonly kind: 'admitted' }>;

/** A call whose intent is durable: it may leave. */
export type Recorded = { readonly admitted: Admitted; readonly entry: CallEntry; readonly decideMs: number };

/** How often a decision is taken again before the caller is asked to come back. */
const maxRetakes = 100;

function textOf(
  deps: GatewayDeps,
  admission: Admission,
  entry: CallEntry,
  key: SubjectKey | undefined,
  client: ClientRecord['parts'],
): string {
  const mode = entry.decided.content;
  const commitment =
    key === undefined || mode === 'none'
      ? undefined
      : deps.commitments.commit(key, entry.id, 'request', entry.asked.body);
  if (admission.kind === 'admitted') {
    return intentText(deps, entry, { commitment, client, splices: admission.splices, refused: undefined });
  }
  const status = admission.isPolicy ? 'denied' : 'refused';
  return intentText(deps, entry, {
    commitment,
    client,
    splices: [],
    refused: { status, code: admission.error.code },
  });
}

/** One admission, its entry, and the entry's text. */
type Written = { readonly admission: Admission; readonly entry: CallEntry; readonly text: string };

function isTooLong(error: unknown): error is AppError {
  return error instanceof AppError && error.code === 'payload_too_large';
}

/** The refusal of an admission whose text is too long. INVARIANT: one of its two forms fits. */
function writeRefusal(
  deps: GatewayDeps,
  admission: Admission,
  entry: CallEntry,
  key: SubjectKey | undefined,
  client: ClientRecord['parts'],
  error: AppError,
): Written {
  const refused = refuseUnrecordable(admission, entry.asked, error);
  const whole = { ...entry, decided: refused.decided };
  try {
    return { admission: refused, entry: whole, text: textOf(deps, refused, whole, key, client) };
  } catch (again) {
    if (!isTooLong(again)) throw again;
    const brief = briefEntry(whole);
    return { admission: refused, entry: brief, text: textOf(deps, refused, brief, key, client) };
  }
}

/** The text of an admission, or of its refusal where no entry holds that. */
function write(
  deps: GatewayDeps,
  admission: Admission,
  entry: CallEntry,
  key: SubjectKey | undefined,
  client: ClientRecord['parts'],
): Written {
  try {
    return { admission, entry, text: textOf(deps, admission, entry, key, client) };
  } catch (error) {
    if (!isTooLong(error)) throw error;
    if (admission.kind === 'admitted') deps.meter.release(admission.reservation);
    return writeRefusal(deps, admission, entry, key, client, error);
  }
}

function sidecarsOf(one: Sidecar | undefined, other: Sidecar | undefined): readonly Sidecar[] | undefined {
  if (one === undefined) return other === undefined ? undefined : [other];
  return other === undefined ? [one] : [one, other];
}

/** The outcome of a call that nobody dispatched because its intent seemed not to be durable, should it be so. */
function undispatched(
  deps: GatewayDeps,
  entry: CallEntry,
): { readonly intent: EntryId; readonly text: string } {
  const facts = {
    status: 'failed',
    served: undefined,
    ran: undefined,
    usage: undefined,
    commitment: undefined,
    responseBytes: 0,
    error: { code: 'ledger_unavailable' },
    totalMs: 0,
    upstreamMs: 0,
    decideMs: 0,
  } as const;
  return { intent: entry.id, text: outcomeText(deps, entry, deps.newEntryId(), entry.atMs, facts) };
}

/** The refusal of a call, after its record: the caller can name the record. */
export class RecordedRefusal extends Error {
  readonly error: AppError;
  readonly entry: CallEntry;

  constructor(error: AppError, entry: CallEntry) {
    super(error.message);
    this.error = error;
    this.entry = entry;
  }
}

/**
 * Decides and records until both belong to one version. Throws `RecordedRefusal` for a recorded refusal,
 * `ledger_unavailable` if nothing could be recorded, `overloaded` if the organization changes too fast.
 * INVARIANT: on every way out but the returned one, the reservation is released.
 */
export async function recordIntent(deps: GatewayDeps, asked: Asked, attempt: number): Promise<Recorded> {
  const { snapshot } = asked.authenticated;
  const { orgId } = snapshot;
  let before: Admission['decided']['classified'] | undefined;
  for (let take = 0; take < maxRetakes; take += 1) {
    const started = deps.clock();
    // INVARIANT: read before the credential is looked at, so that none has ended at the time that the entry says.
    const atMs = deps.now();
    const asAdmitted = admit(deps, asked, before);
    const { decided } = asAdmitted;
    before = decided.classified;
    const first: CallEntry = { id: deps.newEntryId(), attempt, asked, decided, atMs };
    try {
      const found = deps.subjectKey(orgId, decided.actor.principalId);
      const key = found instanceof Promise ? await found : found;
      const content = contentSidecar(first, key, 'request', asked.body);
      const client = clientRecord(deps, first, key);
      const decideMs = deps.clock() - started;
      const { admission, entry, text } = write(deps, asAdmitted, first, key, client.parts);
      const recorded = await deps.recorder.record({
        orgId,
        text,
        version: decided.version,
        closes: admission.kind === 'admitted' ? () => undispatched(deps, entry) : undefined,
        sidecars: sidecarsOf(content, client.sidecar),
      });
      if (recorded.kind === 'recorded') {
        client.note();
        deps.metrics.decided(entry.decided.decision.outcome, asked.call.endpoint.id);
        if (admission.kind === 'refused') throw new RecordedRefusal(admission.error, entry);
        return { admitted: admission, entry, decideMs };
      }
      if (admission.kind === 'admitted') deps.meter.release(admission.reservation);
      await deps.snapshots.catchUp(orgId, recorded.version);
    } catch (error) {
      if (asAdmitted.kind === 'admitted') deps.meter.release(asAdmitted.reservation);
      throw error;
    }
  }
  throw new AppError(
    'overloaded',
    'the organization is changing too fast to decide this call: retry shortly',
    {
      retryAfterSeconds: 1,
    },
  );
}
