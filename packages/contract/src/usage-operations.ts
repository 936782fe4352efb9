// Owns the operation over usage: tokens and money by whole days, grouped by what the asker names.

import { z } from 'zod';
import { operation } from './operation.ts';
import { answerFormat, filter, moment, nothing } from './shapes.ts';

export const usageGroups = ['user', 'team', 'workspace', 'costCenter', 'model', 'application'] as const;
/** Usage is counted by days: a time within one would be rounded without a word. */
const day = moment
  .refine((text) => Date.parse(text) % 86_400_000 === 0, {
    message: 'must be a midnight in UTC, such as `2026-01-31T00:00:00Z`: usage is counted in whole UTC days',
  })
  .optional();

const grouped = z.string().nullable().optional();
const named = z.string().optional();

export const usageList = operation({
  id: 'usage.list',
  method: 'GET',
  path: '/usage',
  summary: 'tokens and cost by person, team, workspace, cost centre, model, application',
  tag: 'usage',
  permission: ['usage.read', 'usage.read_own'],
  runs: 'query',
  audit: null,
  params: nothing,
  body: null,
  status: 200,
  query: z.strictObject({
    from: day.describe(
      'from this midnight in UTC on; absent: 30 days before the end. Usage is of whole UTC days',
    ),
    to: day.describe('before this midnight in UTC; absent: to the end of today'),
    groupBy: z
      .string()
      .default('user')
      .describe(`one or more of ${usageGroups.join(', ')}, by commas`),
    user: filter('only of this person, by id'),
    team: filter('only of this team, by id'),
    workspace: filter('only of this workspace, by id'),
    costCenter: filter('only of this cost centre'),
    costCentre: filter('the same as `costCenter`'),
    model: filter('only of this model, by the name that was asked for'),
    application: filter('only through this service, by id'),
    format: answerFormat,
  }),
  response: z.object({
    from: moment,
    to: moment,
    currency: z.string(),
    items: z.array(
      z.object({
        group: z.object({
          user: grouped,
          team: grouped,
          workspace: grouped,
          costCenter: grouped,
          model: grouped,
          application: grouped,
        }),
        names: z
          .object({ user: named, team: named, workspace: named, application: named })
          .optional()
          .describe('the names of the ids in `group`, as far as you may see them'),
        requests: z.number().int(),
        input: z.number().int(),
        output: z.number().int(),
        cached: z.number().int(),
        reasoning: z.number().int(),
        costNanos: z.number().int(),
        estimated: z.number().int().describe('requests whose usage is an estimate'),
      }),
    ),
  }),
  alsoProduces: ['text/csv'],
});
