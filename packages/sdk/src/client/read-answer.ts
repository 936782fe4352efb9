// Owns reading an answer: its body under a bound, and a refusal as the problem that it is.

import { problem } from '@countersign/contract/shapes';
import { parseJson } from '@countersign/core/parse-json';
import { NoAnswerError, ProblemError } from './client-errors.ts';

/** The whole body. Rejects with NoAnswerError once it is longer than `maxBytes`. */
export async function boundedBody(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) {
      await response.body?.cancel().catch(() => undefined);
      throw new NoAnswerError('unexpected_answer', `the answer is longer than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    const value: unknown = parseJson(new TextDecoder().decode(bytes));
    return value;
  } catch {
    return undefined;
  }
}

/** The error of an answer that is no success: the problem, or what else came from something on the way. */
export function problemOf(response: Response, bytes: Uint8Array): ProblemError | NoAnswerError {
  const parsed = problem.safeParse(parsedJson(bytes));
  if (!parsed.success) {
    return new NoAnswerError(
      'unexpected_answer',
      `the answer has status ${response.status} and is no problem of ours: is this a Countersign server?`,
    );
  }
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const { code, detail, fields, requestId } = parsed.data;
  return new ProblemError({
    status: response.status,
    code,
    detail,
    fields,
    requestId,
    retryAfterSeconds: Number.isInteger(seconds) ? seconds : undefined,
  });
}
