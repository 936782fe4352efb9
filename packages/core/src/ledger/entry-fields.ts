// Owns the members that ledger entries are made of, and every enumeration in them. INVARIANT: version 1 never
// changes; docs/reference/ledger.md says the same in words.

import { z } from 'zod';
import { type EntryId, isEntryId, isRequestId, type RequestId } from '../ids.ts';
import { isObject, type JsonObject } from '../json.ts';

export const phases = ['intent', 'outcome'] as const;
/** How an entry ended. On an intent only `denied` and `refused`, and then no outcome follows. */
export const statuses = [
  'ok',
  'upstream_error',
  'failed',
  'cancelled',
  'cut',
  'unknown',
  'denied',
  'refused',
] as const;
export const decisions = ['allow', 'deny', 'requestable'] as const;
export const usageSources = ['provider', 'estimated'] as const;
export const proofKinds = ['idp', 'application', 'key', 'session', 'mesh'] as const;
export const actorKinds = ['user', 'service', 'agent', 'anonymous', 'system'] as const;
export const alertKinds = ['budget_warning', 'budget_exhausted', 'unknown_price', 'log_altered'] as const;

export type Status = (typeof statuses)[number];

/** Non-negative integers up to 2^53 - 1. */
const count = z.int().nonnegative();
/** An opaque id or name. */
const name = z.string().min(1).max(256);
const labels = z.array(z.string().min(1).max(64)).max(256);
/** SHA-256 in lower-case hex. */
const hash = z.string().regex(/^[0-9a-f]{64}$/);
/** A small code: `rate_limited`, `keys.create`. */
const code = z.string().regex(/^[a-z][a-z0-9_.]{0,63}$/);
const currency = z.string().regex(/^[A-Z]{3}$/);
/** RFC 3339 in UTC with milliseconds. */
export const timestamp = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
/** A JSON object whose shape another room owns. Its numbers are held to integers when it is rendered. */
const free = z.custom<JsonObject>(isObject, { message: 'must be a JSON object' });

export const entryId = z.custom<EntryId>((v) => typeof v === 'string' && isEntryId(v), {
  message: 'must be an entry id',
});
export const requestId = z.custom<RequestId>((v) => typeof v === 'string' && isRequestId(v), {
  message: 'must be a request id',
});

/** Who acted, as authentication alone showed it at the decision. Ids are pseudonyms of one organization. */
export const actor = z.strictObject({
  id: name,
  kind: z.enum(actorKinds),
  org: name.optional(),
  ws: name.optional(),
  teams: z.array(name).optional(),
  /** How many teams are not named: in a refusal whose entry cannot hold them all. */
  more_teams: count.min(1).optional(),
  roles: z.array(name).optional(),
  /** Those who act for `id`: the nearest to the request first. */
  act: z.array(z.strictObject({ id: name, kind: z.enum(actorKinds), iss: name.optional() })).optional(),
  iss: name.optional(),
  /** Absent for `anonymous` and `system`. */
  proof: z.enum(proofKinds).optional(),
  amr: z.array(name).optional(),
  /** Seconds since the person authenticated. */
  auth_age: count.optional(),
  cred: name.optional(),
  session: name.optional(),
});

/** What was acted on. */
export const target = z.strictObject({
  provider: name.optional(),
  /** As the caller named it, and as the upstream was sent. */
  model: name.optional(),
  served: name.optional(),
  /** The path at the provider, whole. */
  route: z.string().min(1).max(1024).optional(),
  endpoint: name.optional(),
  /** The HTTP method, where policy reads it: on `passthrough`. */
  method: name.optional(),
  /** The provider that the path names. */
  pinned: name.optional(),
  /** The model whose earlier call made the object that the path names. */
  owned: name.optional(),
  tool: name.optional(),
  resource: z.string().min(1).max(1024).optional(),
});

export const policy = z.strictObject({
  decision: z.enum(decisions),
  version: count,
  hash,
  /** The ids of the rules that determined the decision: the first, as many as an entry lists. */
  rules: z.array(name),
  /** How many more there are. */
  more: count.min(1).optional(),
  obligations: free.optional(),
  /** Why it was denied, where no rule alone says it. */
  reason: code.optional(),
  /** The ids of rules that could not be evaluated, likewise. */
  errors: z.array(name).optional(),
  more_errors: count.min(1).optional(),
});

export const classes = z.strictObject({
  labels,
  counts: z.record(z.string(), count).optional(),
  detector: name.optional(),
});

export const content = z.strictObject({
  /** The entry beside which the caller's address and user agent are sealed. */
  client: name.optional(),
  /** A commitment to them, in that entry alone. */
  client_c: hash.optional(),
  /** Commitments: SHA-256(salt ‖ content). */
  req_c: hash.optional(),
  resp_c: hash.optional(),
  /** Bytes. */
  req_len: count.optional(),
  resp_len: count.optional(),
});

/** The worst case that was set aside. */
export const reserved = z.strictObject({
  in: count.optional(),
  out: count.optional(),
  cost_nanos: count,
  currency,
  price_version: name,
});

/** What was used. The token counts are disjoint: a cached token is not an input token. */
export const usage = z.strictObject({
  in: count,
  out: count,
  cached: count.optional(),
  cache_write: count.optional(),
  /** Written to a cache that lives an hour. */
  cache_write_1h: count.optional(),
  reasoning: count.optional(),
  cost_nanos: count,
  currency,
  price_version: name,
  source: z.enum(usageSources),
});

export const run = z.strictObject({
  id: name,
  depth: count,
  labels: labels.optional(),
  integrity: count.optional(),
  trust: count.optional(),
});

/** Why it did not succeed: a code of ours, and the upstream's status if it answered. */
export const failure = z.strictObject({ code, http: z.int().min(100).max(599).optional() });

/** Whole milliseconds, rounded up. */
export const milliseconds = z.strictObject({
  total: count,
  upstream: count.optional(),
  decide: count.optional(),
});

/** One object's new state; null when it ended. */
export const change = z.strictObject({ kind: name, id: name, state: free.nullable() });

export const refused = z.strictObject({
  from: timestamp,
  to: timestamp,
  /** All refusals of the interval, also those of sources that are not listed. */
  total: count,
  sources: z.array(
    z.strictObject({
      /** A commitment to the source's address. */
      source: name,
      reason: code,
      count,
    }),
  ),
});

export const alert = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.enum(['budget_warning', 'budget_exhausted']),
    budget: name,
    limit_nanos: count,
    used_nanos: count,
    percent: count,
  }),
  /** A model that no table prices: it is charged the organization's default until it gets a price of its own. */
  z.strictObject({ kind: z.literal('unknown_price'), model: name }),
  /** The log is not, in the store, what was signed: the verifier's word for it, and at which entry, from 0. */
  z.strictObject({
    kind: z.literal('log_altered'),
    origin: z.string().min(1).max(1024),
    finding: code,
    index: count.optional(),
  }),
]);

export const opened = z.strictObject({
  origin: z.string().min(1).max(1024),
  vkey: z.string().min(1).max(2048),
  /** The last signed checkpoint held of the log that this one continues. */
  previous: z.string().min(1).max(8192).optional(),
});

/** Members that every entry has or may have. */
export const common = {
  v: z.literal(1),
  id: entryId,
  log: z.string().min(1).max(1024),
  ts: timestamp,
  node: name,
  boot: name,
  sv: count,
  actor,
  trace: z.string().min(1).max(128).optional(),
} as const;

/** Members of the entries that a request causes. */
export const requested = {
  req: requestId,
  target: target.optional(),
  policy: policy.optional(),
  ctx: free.optional(),
  err: failure.optional(),
} as const;

/** Members of a model or tool call's entries, both phases. */
export const called = {
  req: requestId,
  /** 1 for the first; a retry or failover has an intent and an outcome of its own. */
  attempt: z.int().min(1),
  target,
  class: classes.optional(),
  content: content.optional(),
  cc: z.string().min(1).max(64).optional(),
  tags: z.record(z.string(), z.string().max(256)).optional(),
  run: run.optional(),
  err: failure.optional(),
} as const;

export const intended = {
  phase: z.literal('intent'),
  policy,
  ctx: free,
  reserved: reserved.optional(),
} as const;

export const settled = {
  phase: z.literal('outcome'),
  /** The id of the intent that this closes. */
  intent: entryId,
  usage: usage.optional(),
  ms: milliseconds.optional(),
} as const;

/** The management operation's id in the contract: `keys.create`. */
export const operation = z.string().regex(/^[A-Za-z][A-Za-z0-9_.]{0,127}$/);
export const reason = z.string().min(1).max(1000);
export const approvers = z.array(name).min(1);
