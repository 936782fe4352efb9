// Owns the shapes that operations share: paging, problems, empty parameters.

import { errorCodes } from '@countersign/core/errors';
import { isPlainText } from '@countersign/core/plain-text';
import { z } from 'zod';

export const nothing = z.strictObject({});

/** Paging by keyset, newest first. */
export const page = z.strictObject({
  cursor: z.string().max(500).optional().describe('where the last page ended: its `next`'),
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('how many to return at most'),
});

/** Yes or no in a query, where everything is text. */
export const queryFlag = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean(),
);

/** A page of `item`. `next` is absent on the last page. */
export function pageOf<S extends z.ZodType>(item: S) {
  return z.object({ items: z.array(item), next: z.string().optional() });
}

/** An RFC 9457 problem with our stable `code`. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.enum(errorCodes),
  detail: z.string(),
  requestId: z.string(),
  fields: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

export const removed = z.object({ id: z.string(), removed: z.literal(true) });

/**
 * Text that others will read in one line: without control characters, line breaks and marks that turn its order.
 * Only for what comes in: what was recorded before is read as it is.
 */
export function plainText(least: number, most: number) {
  return z.string().min(least).max(most).refine(isPlainText, {
    message: 'must be one line without control characters: take them out',
  });
}

/** A cost centre as it is given. */
export const givenCostCentre = plainText(1, 64);

/** Why something is done that needs a reason. */
export const statedReason = plainText(10, 500).meta({ examples: ['asked for in ticket 4711'] });

/** A moment in RFC 3339, UTC. */
export const moment = z.iso.datetime({ offset: true });

/** What a list is narrowed to. */
export const filter = (description: string) => z.string().min(1).max(256).optional().describe(description);

/** The form of a list's answer. */
export const answerFormat = z
  .enum(['json', 'csv'])
  .optional()
  .describe('the form of the answer; absent: by the header `accept` (`text/csv`), else JSON');
