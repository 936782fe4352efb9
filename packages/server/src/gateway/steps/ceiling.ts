// Owns when a stream is cut because it passes what was reserved for it.

import type { AnswerReader } from '@countersign/core/dialects/answer';
import { mostBytesOfToken } from '@countersign/core/dialects/answer-report';
import { AppError } from '@countersign/core/errors';
import type { Forwarding } from './forwarding.ts';
import { bytesPerToken } from './meter.ts';

/** How many bytes of events pass between two looks at the ceiling: fewer as it comes near, where nobody else holds to it. */
const mostStep = 8_192;
const leastStep = 512;

/**
 * True where the provider itself holds the answer to its ceiling, because the body names it. Our count of a stream's
 * tokens is an estimate: such a stream is cut only where no vocabulary could write so much with its tokens. Which limit an
 * endpoint knows that is passed through, nobody here can say.
 */
export function isHeldByProvider({ namedLimit, request, outputCeiling }: Forwarding): boolean {
  if (namedLimit === undefined || request.endpoint === 'passthrough') return false;
  return namedLimit * request.choices <= outputCeiling;
}

/** Watches a stream: takes how many bytes of events have passed, and answers why it must be cut, if it must. */
export function createCeiling(
  forwarding: Forwarding,
): (bytes: number, answer: AnswerReader) => AppError | undefined {
  const { outputCeiling, inputEstimate } = forwarding;
  const isHeld = isHeldByProvider(forwarding);
  const estimates = {
    inputTokens: inputEstimate,
    bytesPerToken: isHeld ? mostBytesOfToken : bytesPerToken,
  };
  const stepBefore = (left: number) => (isHeld ? mostStep : Math.min(mostStep, Math.max(leastStep, left)));
  let since = 0;
  let step = stepBefore(outputCeiling);
  return (bytes, answer) => {
    since += bytes;
    if (since < step) return undefined;
    since = 0;
    const { usage } = answer.report(estimates);
    const left = outputCeiling - usage.output - usage.reasoning;
    step = stepBefore(left);
    if (left >= 0) return undefined;
    return new AppError(
      'budget_exceeded',
      `the answer reached the ceiling of ${outputCeiling} tokens: ask for fewer`,
    );
  };
}
