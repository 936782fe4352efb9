// Owns the entries of a management change: one, or several where a policy's text does not fit in one.

import { AppError } from '@countersign/core/errors';
import type { EntryId, RequestId } from '@countersign/core/ids';
import type { JsonObject, JsonValue } from '@countersign/core/json';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import { decodeEntry, maxManagementEntryBytes } from '@countersign/core/ledger/entry';
import type { CommandOutcome, EntryExtras } from './command.ts';

type EntryDeps = {
  readonly node: string;
  readonly boot: string;
  readonly origin: string;
  /** The version decided under: the entry makes the next one if it changes anything. */
  readonly version: number;
};

type EntryInput = {
  /** Who asked, and in which request. */
  readonly request: { readonly actor: { readonly entryActor: JsonObject }; readonly requestId: RequestId };
  readonly audit: string;
  readonly outcome: CommandOutcome<unknown>;
  readonly entryIds: { readonly now: number; readonly next: () => EntryId };
};

/** UTF-16 units of policy text an entry: at three bytes each it stays below the bound of 65,535. */
const textPerEntry = 16_000;

function partsOf(text: string): readonly string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + textPerEntry, text.length);
    const last = text.charCodeAt(end - 1);
    // Do not part a surrogate pair.
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end -= 1;
    parts.push(text.slice(at, end));
    at = end;
  }
  return parts.length === 0 ? [''] : parts;
}

function encode(entry: { readonly [name: string]: unknown }): Uint8Array {
  const text = canonicalJson(entry);
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length > maxManagementEntryBytes) {
    throw new AppError(
      'payload_too_large',
      `the record of this change would have ${bytes.length} bytes of ${maxManagementEntryBytes}: make it in smaller steps`,
    );
  }
  const decoded = decodeEntry(text);
  if (!decoded.ok) throw new AppError('internal', `an entry does not fit its schema: ${decoded.reason}`);
  return bytes;
}

function extras(entry: EntryExtras): { readonly [name: string]: JsonValue } {
  switch (entry.type) {
    case 'management':
      return {
        type: 'management',
        ...(entry.reason === undefined ? {} : { reason: entry.reason }),
        ...(entry.resource === undefined ? {} : { target: { resource: entry.resource } }),
        ...(entry.approvers === undefined ? {} : { approvers: [...entry.approvers] }),
      };
    case 'content_read':
      return { type: 'content_read', record: entry.record, reason: entry.reason };
    case 'erasure':
      return {
        type: 'erasure',
        subject: entry.subject,
        reason: entry.reason,
        approvers: [...entry.approvers],
      };
    default:
      return { type: 'management' };
  }
}

/**
 * The encoded entries of one change, in the order in which they enter the log. The first carries the changes;
 * a policy's text follows in numbered parts where it is long. `id` is the first one's.
 */
export function managementEntries(
  deps: EntryDeps,
  input: EntryInput,
): { readonly id: EntryId; readonly bytes: readonly Uint8Array[] } {
  const { request, outcome, entryIds } = input;
  const extra = outcome.entry ?? { type: 'management' };
  const id = entryIds.next();
  const common = {
    v: 1,
    log: deps.origin,
    ts: new Date(entryIds.now).toISOString(),
    node: deps.node,
    boot: deps.boot,
    sv: deps.version,
    actor: request.actor.entryActor,
    req: request.requestId,
    status: 'ok',
    ...(extra.type === 'content_read' ? {} : { change: outcome.changes }),
    ...(extra.type === 'management' ? { op: input.audit } : {}),
    ...extras(extra),
  };
  const text = extra.type === 'management' ? extra.policyText : undefined;
  if (text === undefined) return { id, bytes: [encode({ ...common, id })] };
  const parts = partsOf(text);
  const only = parts.length === 1;
  const bytes = parts.map((part, i) =>
    encode({
      ...common,
      id: i === 0 ? id : entryIds.next(),
      change: i === 0 ? outcome.changes : [],
      policy_text: part,
      ...(only ? {} : { policy_part: { n: i + 1, of: parts.length } }),
    }),
  );
  return { id, bytes };
}
