// Owns the operations over policy: publish, ask, explain, simulate.

import { idOf, modelName } from '@countersign/core/directory/scalars';
import { z } from 'zod';
import { operation } from './operation.ts';
import { moment, nothing } from './shapes.ts';

const reading = { params: nothing, query: nothing, body: null, status: 200, alsoProduces: [] } as const;

export const policyView = z.object({
  version: z.number().int(),
  hash: z.string(),
  text: z.string(),
});
export const policyGet = operation({
  ...reading,
  id: 'policy.get',
  method: 'GET',
  path: '/policy',
  summary: 'show the policy in force',
  tag: 'policy',
  permission: ['policy.read'],
  runs: 'live',
  audit: null,
  response: policyView,
});

export const policyPublish = operation({
  ...reading,
  id: 'policy.publish',
  method: 'PUT',
  path: '/policy',
  summary: 'check a Cedar text and install it as the next version, or refuse it whole',
  tag: 'policy',
  permission: ['policy.publish'],
  runs: 'command',
  audit: 'policy.published',
  body: z.strictObject({ text: z.string().max(1_000_000) }),
  response: z.object({ version: z.number().int(), hash: z.string(), warnings: z.array(z.string()) }),
});

const question = z.strictObject({
  principal: z
    .string()
    .describe('id of a user, a service or an agent')
    .meta({ examples: ['usr_…'] }),
  workspaceId: idOf('workspace').optional(),
  model: modelName.meta({ examples: ['sandbox'] }),
  endpoint: z.string().default('chat'),
  prompt: z.string().max(1_000_000).optional().describe('classified, then forgotten'),
  labels: z
    .array(z.string())
    .optional()
    .describe(
      'in place of a prompt: labels of the detectors or of your classifiers, with the groups that they bring',
    ),
  address: z.string().optional(),
  at: moment.optional(),
  text: z.string().max(1_000_000).optional().describe('a policy text to ask instead of the one in force'),
});

const ruleOutcome = z.object({
  id: z.string(),
  effect: z.enum(['permit', 'forbid']),
  outcome: z.enum(['satisfied', 'not_satisfied', 'error', 'out_of_scope']),
  message: z.string().optional(),
  conditions: z.array(z.object({ text: z.string(), value: z.string() })),
});
const answer = z.object({
  decision: z.enum(['allow', 'deny', 'requestable']),
  reason: z.string(),
  rules: z.array(z.string()),
  obligations: z.array(z.string()),
  labels: z.array(z.string()),
  version: z.number().int(),
});

export const policyCheck = operation({
  ...reading,
  id: 'policy.check',
  method: 'POST',
  path: '/policy/check',
  summary: 'ask what would be decided, without calling anything',
  tag: 'policy',
  permission: ['policy.check'],
  runs: 'live',
  audit: null,
  body: question,
  response: answer,
});

export const policyExplain = operation({
  ...reading,
  id: 'policy.explain',
  method: 'POST',
  path: '/policy/explain',
  summary: 'ask which rule decides and which values it read',
  tag: 'policy',
  permission: ['policy.check'],
  runs: 'live',
  audit: null,
  body: question,
  response: answer.extend({ evaluated: z.array(ruleOutcome) }),
});

export const policySimulate = operation({
  ...reading,
  id: 'policy.simulate',
  method: 'POST',
  path: '/policy/simulate',
  summary: 'what a new text would have decided over past records',
  tag: 'policy',
  permission: ['policy.check'],
  runs: 'query',
  audit: null,
  body: z.strictObject({
    text: z.string().max(1_000_000),
    from: moment.optional(),
    to: moment.optional(),
    limit: z.number().int().min(1).max(100_000).default(10_000),
  }),
  response: z.object({
    examined: z.number().int(),
    skipped: z
      .number()
      .int()
      .describe('calls that cannot be decided again: their model is gone, or policy was never asked'),
    changed: z.number().int(),
    nowAllowed: z.number().int(),
    nowDenied: z.number().int(),
    examples: z.array(
      z.object({ record: z.string(), before: z.string(), after: z.string(), rules: z.array(z.string()) }),
    ),
  }),
});
