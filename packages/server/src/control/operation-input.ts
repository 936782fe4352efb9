// Owns the edge at which an operation's input and answer are held to the contract.

import type { Operation } from '@countersign/contract/operation';
import { AppError } from '@countersign/core/errors';
import { issueText } from '@countersign/core/issue-text';
import { z } from 'zod';

/** Params, query and body of an operation, of any shape. */
export type RawInput = { readonly params: unknown; readonly query: unknown; readonly body: unknown };

/** The schema of all that an operation is given. */
export function inputSchema(operation: Operation): z.ZodType<RawInput> {
  return z.object({
    params: operation.params,
    query: operation.query,
    body: operation.body ?? z.null(),
  });
}

/** The input with its defaults. Throws `invalid_request` whose fields name what does not fit. */
export function readInput(schema: z.ZodType<RawInput>, raw: RawInput): RawInput {
  const { params, query, body } = raw;
  const parsed = schema.safeParse({ params, query, body });
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => ({
    path: issue.path.join('.'),
    message: issueText(issue),
  }));
  const [first] = fields;
  throw new AppError(
    'invalid_request',
    `the input does not fit at \`${first?.path ?? ''}\`: ${first?.message ?? ''}`,
    {
      fields,
    },
  );
}

/** The answer as the contract shows it: members that it does not name never leave. */
export function shownResponse(operation: Operation, response: unknown): unknown {
  const parsed = operation.response.safeParse(response);
  if (parsed.success) return parsed.data;
  throw new AppError('internal', `the answer of \`${operation.id}\` does not fit`, { cause: parsed.error });
}
