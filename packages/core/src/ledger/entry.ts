// Owns the ledger's entry, version 1: its types, and the only ways to its bytes and back.

import { z } from 'zod';
import { AppError } from '../errors.ts';
import { isEntryId } from '../ids.ts';
import { parseJson } from '../parse-json.ts';
import { canonicalJson, type OnReplaced, utf8Length } from './canonical.ts';
import {
  alert,
  approvers,
  called,
  change,
  common,
  entryId,
  intended,
  opened,
  operation,
  reason,
  refused,
  requested,
  requestId,
  settled,
  target,
} from './entry-fields.ts';

/** Every type of entry. A type not listed here is no version 1 entry. */
export const entryTypes = [
  'model_call',
  'tool_call',
  'management',
  'content_read',
  'erasure',
  'alert',
  'refused_credentials',
  'checkpoint',
  'log_opened',
] as const;

export type EntryType = (typeof entryTypes)[number];

/** The most bytes of an entry's canonical text. */
export const maxEntryBytes = 16_384;
/** The same for `management` and `erasure`, whose state and policy text must be whole: a bundle's own bound. */
export const maxManagementEntryBytes = 65_535;

const intentStatus = z.enum(['denied', 'refused']);
const outcomeStatus = z.enum(['ok', 'upstream_error', 'failed', 'cancelled', 'cut', 'unknown']);
const commandStatus = z.enum(['ok', 'denied', 'refused', 'failed']);

function callEntries<T extends 'model_call' | 'tool_call'>(type: T) {
  return z.discriminatedUnion('phase', [
    z.strictObject({
      ...common,
      ...called,
      ...intended,
      type: z.literal(type),
      status: intentStatus.optional(),
    }),
    z.strictObject({ ...common, ...called, ...settled, type: z.literal(type), status: outcomeStatus }),
  ]);
}

const managementEntry = z.strictObject({
  ...common,
  ...requested,
  type: z.literal('management'),
  op: operation,
  status: commandStatus,
  change: z.array(change).optional(),
  /** The Cedar text of a published policy, or the part of it that fits. */
  policy_text: z.string().optional(),
  /** Given when the text spans entries: this is part `n` of `of`, from 1, in the order of the log. */
  policy_part: z.strictObject({ n: z.int().min(1), of: z.int().min(2) }).optional(),
  reason: reason.optional(),
  approvers: approvers.optional(),
});

/** What was refused before its body was read has no reason; what was done has one. */
const whole = 'what was done has its reason, and an erasure its approvers';

const contentReadEntry = z
  .strictObject({
    ...common,
    ...requested,
    type: z.literal('content_read'),
    status: commandStatus,
    /** The entry whose sealed content was read; of a refused read whatever it named. */
    record: z.union([entryId, requestId]),
    reason: reason.optional(),
  })
  .refine((entry) => entry.status !== 'ok' || (entry.reason !== undefined && isEntryId(entry.record)), whole);

const erasureEntry = z
  .strictObject({
    ...common,
    ...requested,
    type: z.literal('erasure'),
    status: commandStatus,
    /** The pseudonym of the person whose key was destroyed, or was to be. */
    subject: z.string().min(1).max(256),
    reason: reason.optional(),
    approvers: approvers.optional(),
    change: z.array(change).optional(),
  })
  .refine(
    (entry) => entry.status !== 'ok' || (entry.reason !== undefined && entry.approvers !== undefined),
    whole,
  );

const alertEntry = z.strictObject({ ...common, type: z.literal('alert'), alert });

const refusedCredentialsEntry = z.strictObject({
  ...common,
  type: z.literal('refused_credentials'),
  refused,
});

const checkpointEntry = z.strictObject({
  ...common,
  type: z.literal('checkpoint'),
  /** `resource` is the other log's origin. */
  target,
  /** The other log's signed checkpoint, verbatim. */
  checkpoint: z.string().min(1).max(8192),
});

const logOpenedEntry = z.strictObject({ ...common, type: z.literal('log_opened'), opened });

/** The schema of every entry, version 1. */
export const entrySchema = z.discriminatedUnion('type', [
  callEntries('model_call'),
  callEntries('tool_call'),
  managementEntry,
  contentReadEntry,
  erasureEntry,
  alertEntry,
  refusedCredentialsEntry,
  checkpointEntry,
  logOpenedEntry,
]);

/** The same shape with nothing to be written to. */
type Fixed<T> = T extends string
  ? T
  : T extends readonly (infer U)[]
    ? readonly Fixed<U>[]
    : T extends object
      ? { readonly [K in keyof T]: Fixed<T[K]> }
      : T;

export type Entry = Fixed<z.infer<typeof entrySchema>>;
export type CallIntent = Extract<Entry, { readonly phase: 'intent' }>;
export type CallOutcome = Extract<Entry, { readonly phase: 'outcome' }>;

/** The most bytes that an entry of this type may have. */
export function entryLimit(type: EntryType): number {
  return type === 'management' || type === 'erasure' ? maxManagementEntryBytes : maxEntryBytes;
}

/** Refuses text that is too long for its type of entry with `payload_too_large`; the hot path calls it too. */
export function checkEntrySize(type: EntryType, text: string): void {
  const limit = entryLimit(type);
  // Three bytes a UTF-16 unit is the most: most texts need no count.
  if (text.length * 3 > limit && utf8Length(text) > limit) {
    throw new AppError(
      'payload_too_large',
      `the record of this may have ${limit} bytes and would have more: too many teams, labels, tags or tools, ask your administrator`,
    );
  }
}

/**
 * The entry's permanent text. Throws AppError `internal` if it does not fit the schema (a fault of ours) and
 * `payload_too_large` if it is too long. Lone surrogates become U+FFFD and are counted through `onReplaced`.
 */
export function encodeEntry(entry: Entry, onReplaced?: OnReplaced): string {
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success) {
    const where = parsed.error.issues.map(({ path }) => path.join('.')).join(', ');
    throw new AppError('internal', `an entry does not fit its schema at \`${where}\``);
  }
  const text = canonicalJson(entry, onReplaced);
  checkEntrySize(entry.type, text);
  return text;
}

export type DecodedEntry =
  | { readonly ok: true; readonly entry: Entry }
  | { readonly ok: false; readonly reason: string };

/** Reads an entry's text. Only what `encodeEntry` would write is accepted: no space, no repeated name, no new member. */
export function decodeEntry(text: string): DecodedEntry {
  if (!text.isWellFormed()) return { ok: false, reason: 'the text has lone surrogates' };
  let value: unknown;
  let canonical: string;
  try {
    value = parseJson(text);
    canonical = canonicalJson(value);
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : 'the text is not JSON' };
  }
  if (canonical !== text) return { ok: false, reason: 'the text is not canonical JSON (RFC 8785)' };
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { ok: false, reason: `\`${issue?.path.join('.') ?? ''}\`: ${issue?.message ?? 'unknown'}` };
  }
  if (utf8Length(text) > entryLimit(parsed.data.type)) return { ok: false, reason: 'the entry is too long' };
  return { ok: true, entry: parsed.data };
}
