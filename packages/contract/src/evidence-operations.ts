// Owns the operations over records and the ledger: what an auditor asks.

import { entryTypes } from '@countersign/core/ledger/entry';
import { alertKinds } from '@countersign/core/ledger/entry-fields';
import { z } from 'zod';
import { operation } from './operation.ts';
import { answerFormat, filter, moment, nothing, page, pageOf, queryFlag, statedReason } from './shapes.ts';

const reading = { params: nothing, query: nothing, body: null, status: 200, alsoProduces: [] } as const;

/** One call as the queryable projection shows it. The ledger's entries are the record; this is a view. */
export const recordView = z.object({
  id: z.string(),
  requestId: z.string().optional(),
  index: z.number().int(),
  outcomeIndex: z.number().int().optional(),
  at: moment,
  type: z.string(),
  actor: z.object({
    id: z.string(),
    kind: z.string(),
    name: z.string().optional(),
    agents: z.array(z.string()),
    application: z.string().optional(),
    applicationName: z.string().optional(),
    proof: z.string().optional(),
    credential: z.string().optional(),
  }),
  workspaceId: z.string().optional(),
  teams: z.array(z.string()),
  costCentre: z.string().optional(),
  endpoint: z.string().optional(),
  provider: z.string().optional(),
  model: z.string().optional(),
  decision: z.string().optional(),
  policyVersion: z.number().int().optional(),
  rules: z.array(z.string()),
  labels: z.array(z.string()),
  status: z.string().optional(),
  error: z.string().optional(),
  usage: z
    .object({
      input: z.number().int(),
      output: z.number().int(),
      cached: z.number().int(),
      reasoning: z.number().int(),
      costNanos: z.number().int(),
      currency: z.string().optional(),
      source: z.string(),
    })
    .optional(),
  totalMs: z.number().optional(),
  event: z.string().optional().describe('the operation of a change, done or denied; the kind of an alert'),
  alert: z
    .object({
      kind: z.enum(alertKinds),
      about: z.string().describe('the id of the budget or the model, or the origin of the log'),
      aboutName: z.string().optional(),
      finding: z.string().optional().describe('what `ledger verify` calls it'),
      entryIndex: z.number().int().optional().describe('the first entry that it concerns, from 0'),
      limitNanos: z.number().int().optional(),
      usedNanos: z.number().int().optional(),
      percent: z.number().int().optional(),
    })
    .optional(),
});

const span = {
  from: moment.optional().describe('from this moment on, such as 2026-01-01T00:00:00Z'),
  to: moment.optional().describe('before this moment'),
};

export const recordList = operation({
  ...reading,
  id: 'record.list',
  method: 'GET',
  path: '/records',
  summary: 'list records, newest first; without `records.read` only your own',
  tag: 'records',
  permission: ['records.read', 'records.read_own'],
  runs: 'query',
  audit: null,
  query: page.extend({
    ...span,
    actor: filter('the id of a person or service'),
    decision: z.enum(['allow', 'deny', 'requestable']).optional().describe('what was decided'),
    model: filter('the name that was asked for'),
    label: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,62}$/, { message: 'must be a label, such as `payment_card`' })
      .optional()
      .describe('a label that was found'),
    type: z.enum(entryTypes).optional().describe('what kind of record'),
    event: filter('the operation of a change, such as `key.create`, or the kind of an alert'),
    workspace: filter('the id of a workspace'),
    team: filter('the id of a team'),
    costCentre: filter('a cost centre, as it is written'),
    costCenter: filter('the same as `costCentre`'),
    application: filter('the id of a service'),
    format: answerFormat,
  }),
  response: pageOf(recordView),
  alsoProduces: ['text/csv'],
});

const recordId = z.strictObject({
  id: z
    .string()
    .max(64)
    .describe('a record id or a request id')
    .meta({ examples: ['019aa8c0-7d2e-7cc2-9a58-3f6f3a1c2b4d'] }),
});
export const recordGet = operation({
  ...reading,
  id: 'record.get',
  method: 'GET',
  path: '/records/{id}',
  summary: 'one record with its entries as they stand in the ledger',
  tag: 'records',
  permission: ['records.read', 'records.read_own'],
  runs: 'query',
  audit: null,
  params: recordId,
  response: recordView.extend({
    noName: z
      .enum(['erased', 'unnamed'])
      .optional()
      .describe('why the person has no name; absent where there is one, and where you may not see it'),
    workspaceName: z.string().optional(),
    agentNames: z.record(z.string(), z.string()).optional(),
    entries: z.array(z.object({ index: z.number().int(), leafHash: z.string(), text: z.string() })),
  }),
});

export const recordProof = operation({
  ...reading,
  id: 'record.proof',
  method: 'GET',
  path: '/records/{id}/proof',
  summary:
    'the receipt of a record: an inclusion proof and a signed checkpoint (C2SP tlog-proof), one that witnesses have cosigned where it covers the record',
  tag: 'records',
  permission: ['records.read', 'records.read_own'],
  runs: 'query',
  audit: null,
  params: recordId,
  response: z.object({
    index: z.number().int(),
    entry: z.string(),
    proof: z.string(),
    verifierKey: z.string(),
  }),
});

export const recordContent = operation({
  ...reading,
  id: 'record.content',
  method: 'POST',
  path: '/records/{id}/content',
  summary:
    'open what is sealed for a record (its content; from which address it came) for a stated reason, which is recorded',
  tag: 'records',
  permission: ['records.content'],
  runs: 'command',
  audit: 'record.content_read',
  params: recordId,
  body: z.strictObject({ reason: statedReason }),
  response: z.object({
    request: z.string().optional(),
    response: z.string().optional(),
    client: z
      .object({ address: z.string(), userAgent: z.string().describe('empty when the caller named none') })
      .optional()
      .describe('from where the call came'),
  }),
});

/** Whose log: the organization's, or the installation's own, with refused credentials and copies of checkpoints. */
const whichLog = z.strictObject({
  log: z
    .enum(['organization', 'installation'])
    .default('organization')
    .describe(
      "the installation's own log has refused credentials, and copies of the organization's checkpoints",
    ),
});

export const ledgerCheckpoint = operation({
  ...reading,
  query: whichLog.extend({
    cosigned: queryFlag
      .default(false)
      .describe('the newest one that witnesses have cosigned instead, with their signatures'),
  }),
  id: 'ledger.checkpoint',
  method: 'GET',
  path: '/ledger/checkpoint',
  summary: "the ledger's newest signed checkpoint",
  tag: 'ledger',
  permission: ['ledger.read'],
  runs: 'query',
  audit: null,
  response: z.object({
    checkpoint: z.string(),
    verifierKey: z.string(),
    succession: z
      .string()
      .optional()
      .describe("the note by which a former log's key has handed over to this log, which continues it"),
  }),
  alsoProduces: ['text/plain'],
});

export const ledgerTile = operation({
  ...reading,
  query: whichLog,
  id: 'ledger.tile',
  method: 'GET',
  path: '/ledger/tile/{path}',
  summary: 'one tile of hashes, or of entries (C2SP tlog-tiles), base64 in JSON, bytes on request',
  tag: 'ledger',
  permission: ['ledger.read'],
  runs: 'query',
  audit: null,
  params: z.strictObject({
    path: z
      .string()
      .max(100)
      .meta({ examples: ['0/000'] }),
  }),
  response: z.object({ base64: z.string() }),
  alsoProduces: ['application/octet-stream'],
});

export const metricsRead = operation({
  ...reading,
  id: 'metrics.read',
  method: 'GET',
  path: '/metrics',
  summary: 'the process’s metrics; `/metrics` gives the same in Prometheus text',
  tag: 'metrics',
  permission: ['metrics.read'],
  runs: 'live',
  audit: null,
  response: z.object({ text: z.string() }),
});
