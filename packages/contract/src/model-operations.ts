// Owns the operations over providers, models, budgets, rate limits and classifiers.

import {
  budgetState,
  classifierState,
  modelState,
  providerState,
  rateLimitState,
} from '@countersign/core/directory/objects';
import { idOf, modelName, price } from '@countersign/core/directory/scalars';
import { z } from 'zod';
import { create, get, list, remove, update } from './resource.ts';

const provider = { name: 'provider', one: 'a provider', path: 'providers' } as const;

/** A provider as it is shown: whether it has a key, never the key or its commitment. */
export const providerView = providerState.omit({ keyCommitment: true }).extend({ hasKey: z.boolean() });
const providerKey = z
  .string()
  .min(1)
  .max(4096)
  .describe('the key that the provider gave you; sealed at rest');
const timeouts = providerState.shape.timeouts;
export const providerCreate = create(
  provider,
  ['providers.write'],
  z
    .strictObject({
      name: providerState.shape.name,
      kind: providerState.shape.kind,
      baseUrl: providerState.shape.baseUrl.describe('needed for every kind but the sandbox'),
      external: z.boolean().optional().describe('absent: true for all but the sandbox'),
      apiKey: providerKey.optional(),
      timeouts: timeouts.default({ connectMs: 5_000, firstByteMs: 600_000, idleMs: 120_000 }),
      retryStatuses: providerState.shape.retryStatuses.default([]),
    })
    .meta({
      examples: [{ name: 'openai', kind: 'openai', baseUrl: 'https://api.openai.com', apiKey: 'sk-sample' }],
    }),
  providerView,
);
export const providerList = list(provider, ['providers.read'], providerView);
export const providerGet = get(provider, ['providers.read'], idOf('provider'), providerView);
export const providerUpdate = update(
  provider,
  ['providers.write'],
  idOf('provider'),
  z
    .strictObject({
      baseUrl: providerState.shape.baseUrl,
      external: z.boolean().optional(),
      apiKey: providerKey.optional(),
      timeouts: timeouts.optional(),
      retryStatuses: providerState.shape.retryStatuses.optional(),
      status: z.enum(['active', 'suspended']).optional(),
    })
    .meta({ examples: [{ status: 'suspended' }] }),
  providerView,
);
export const providerRemove = remove(provider, ['providers.write'], idOf('provider'));

const model = { name: 'model', one: 'a model', path: 'models' } as const;

/** A model with the price in force and where it comes from. */
export const modelView = modelState.extend({
  priceInForce: price.describe('pico-units per token'),
  priceSource: z.enum(['override', 'table', 'default']),
});
export const modelCreate = create(
  model,
  ['models.write'],
  z.strictObject({
    name: modelName,
    providerId: idOf('provider'),
    upstreamName: modelName.optional().describe('absent: the same name'),
    aliases: z.array(modelName).max(50).default([]),
    workspaceIds: modelState.shape.workspaceIds,
    price: price.optional(),
    outputCeiling: modelState.shape.outputCeiling,
  }),
  modelView,
);
export const modelList = list(model, ['models.read'], modelView);
export const modelGet = get(model, ['models.read'], idOf('model'), modelView);
export const modelUpdate = update(
  model,
  ['models.write'],
  idOf('model'),
  z.strictObject({
    upstreamName: modelName.optional(),
    aliases: z.array(modelName).max(50).optional(),
    workspaceIds: z.array(idOf('workspace')).nullable().optional(),
    price: price.nullable().optional(),
    outputCeiling: z.number().int().positive().nullable().optional(),
    status: z.enum(['active', 'suspended']).optional(),
  }),
  modelView,
);
export const modelRemove = remove(model, ['models.write'], idOf('model'));

const budget = { name: 'budget', one: 'a budget', path: 'budgets' } as const;

/**
 * A budget with what its current period has used. What it holds in reservations is known only to the process that
 * serves the calls: absent where that process was not asked.
 */
export const budgetView = budgetState.extend({
  usedNanos: z.number().int(),
  reservedNanos: z.number().int().optional(),
  resetsAt: z.iso.datetime().optional(),
});
const budgetInput = budgetState.omit({ id: true }).strict();
export const budgetCreate = create(
  budget,
  ['budgets.write'],
  budgetInput.extend({
    limitNanos: budgetState.shape.limitNanos.meta({ examples: [200_000_000_000] }),
    warnAtPercent: budgetState.shape.warnAtPercent.default(80),
    action: budgetState.shape.action.default('stop'),
  }),
  budgetState,
);
export const budgetList = list(budget, ['budgets.read'], budgetView);
export const budgetGet = get(budget, ['budgets.read'], idOf('budget'), budgetView);
export const budgetUpdate = update(
  budget,
  ['budgets.write'],
  idOf('budget'),
  budgetInput.omit({ scope: true, period: true }).partial(),
  budgetState,
);
export const budgetRemove = remove(budget, ['budgets.write'], idOf('budget'));

const rateLimit = { name: 'rate_limit', one: 'a rate limit', path: 'rate-limits' } as const;
const rateLimitInput = rateLimitState.omit({ id: true }).strict();
export const rateLimitCreate = create(
  rateLimit,
  ['rate_limits.write'],
  rateLimitInput.meta({
    examples: [{ name: 'sample', scope: { kind: 'organization' }, requestsPerMinute: 600 }],
  }),
  rateLimitState,
);
export const rateLimitList = list(rateLimit, ['rate_limits.read'], rateLimitState);
export const rateLimitGet = get(rateLimit, ['rate_limits.read'], idOf('rateLimit'), rateLimitState);
export const rateLimitUpdate = update(
  rateLimit,
  ['rate_limits.write'],
  idOf('rateLimit'),
  z.strictObject({
    name: rateLimitState.shape.name.optional(),
    requestsPerMinute: z.number().int().positive().nullable().optional(),
    tokensPerMinute: z.number().int().positive().nullable().optional(),
    concurrent: z.number().int().positive().nullable().optional(),
  }),
  rateLimitState,
);
export const rateLimitRemove = remove(rateLimit, ['rate_limits.write'], idOf('rateLimit'));

const classifier = {
  name: 'classifier',
  one: "an organization's own classifier",
  path: 'classifiers',
} as const;
const classifierInput = classifierState.omit({ id: true }).strict();
export const classifierCreate = create(
  classifier,
  ['classifiers.write'],
  classifierInput
    .extend({
      terms: classifierState.shape.terms.default([]),
      patterns: classifierState.shape.patterns.default([]),
      caseSensitive: z.boolean().default(false),
      wholeWord: z.boolean().default(true),
    })
    .meta({ examples: [{ name: 'projects', label: 'project_name', terms: ['bluebird'] }] }),
  classifierState,
);
export const classifierList = list(classifier, ['classifiers.read'], classifierState);
export const classifierGet = get(classifier, ['classifiers.read'], idOf('classifier'), classifierState);
export const classifierUpdate = update(
  classifier,
  ['classifiers.write'],
  idOf('classifier'),
  classifierInput.omit({ label: true }).partial(),
  classifierState,
);
export const classifierRemove = remove(classifier, ['classifiers.write'], idOf('classifier'));
