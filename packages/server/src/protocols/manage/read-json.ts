// Owns turning the body of a management request into one value that its schema may look at, under bounds.

import type { IncomingMessage } from 'node:http';
import { readJsonBody } from '@countersign/core/dialects/json-body';
import type { ParseLimits } from '@countersign/core/dialects/request-types';
import { AppError, type FieldError } from '@countersign/core/errors';
import { issueText } from '@countersign/core/issue-text';
import type { z } from 'zod';
import { readBody } from '../http/read-body.ts';

/** INVARIANT: what any caller may send is small enough that parsing and checking it never holds the others up. */
const usual: ParseLimits = { maxBytes: 256 * 1024, maxDepth: 32, maxNodes: 10_000 };

/**
 * The tags of operations whose bodies hold a policy's text, a prompt or a dictionary (whose record has 64 KiB, and so
 * room for some 13,000 short terms). Few people may call these.
 */
const large: ReadonlyMap<string, ParseLimits> = new Map([
  ['policy', { ...usual, maxBytes: 4 * 1024 * 1024 }],
  ['classifiers', { ...usual, maxNodes: 20_000 }],
]);

/** The bounds of the bodies of an operation with this tag. */
export function limitsOf(tag: string): ParseLimits {
  return large.get(tag) ?? usual;
}

/** Throws for what is not UTF-8, and keeps a byte order mark for the reader to refuse. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The value of a body: an empty object for none. Rejects with `unsupported_media_type`, with `payload_too_large`, or
 * with `invalid_request` for what is no JSON object, for members that repeat, and beyond the bounds.
 */
export async function readJson(request: IncomingMessage, tag: string): Promise<unknown> {
  const limits = limitsOf(tag);
  const bytes = await readBody(request, limits.maxBytes);
  if (bytes.length === 0) return {};
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('application/json')) {
    throw new AppError('unsupported_media_type', 'send the body as `application/json`');
  }
  const body = readJsonBody(bytes, { limits, decodeUtf8: (text) => decoder.decode(text) });
  if (body.kind === 'refusal') throw new AppError(body.code, body.message);
  return body.root;
}

/** Fields that a refusal names at most, and characters of a name that it repeats. */
const mostFields = 20;
const mostNameUnits = 64;
const mostPathUnits = 256;

function fieldsOf(error: z.ZodError, at: string): readonly FieldError[] {
  return error.issues.slice(0, mostFields).map((issue) => ({
    path: [at, ...issue.path.map((part) => String(part).slice(0, mostNameUnits))]
      .join('.')
      .slice(0, mostPathUnits),
    message: issueText(issue),
  }));
}

/** The value as the schema takes it. Throws `invalid_request` whose fields name the first of what does not fit. */
export function parseWith(schema: z.ZodType, value: unknown, at: string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = fieldsOf(parsed.error, at);
  const [first] = fields;
  throw new AppError('invalid_request', `\`${first?.path ?? at}\` ${first?.message ?? 'is not valid'}`, {
    fields,
  });
}
