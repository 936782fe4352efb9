// Owns the worst case of a call: what is reserved before it is sent.

import { fullPrice, type ModelPrice, sumNanos, type TokenPrice } from './cost.ts';

/** The most tokens that a call can use: input of all kinds, output of one choice, and the number of choices. */
export type TokenBound = { readonly input: number; readonly output: number; readonly choices: number };

/**
 * The most that a call within this bound can cost, in nano-units: the dearest way to be billed for each input token
 * and each output token, over every tier that the bound can reach.
 *
 * INVARIANT: for every usage whose input buckets sum to at most `input` and whose output buckets sum to at most
 * `output × choices`, `cost(price, usage) <= worstCase(price, bound)`.
 */
export function worstCase(price: ModelPrice, bound: TokenBound): number {
  const reachable: TokenPrice[] = [price];
  for (const tier of price.tiers ?? []) if (bound.input > tier.overInput) reachable.push(tier.price);
  let dearestIn = 0;
  let dearestOut = 0;
  for (const each of reachable) {
    const full = fullPrice(each);
    dearestIn = Math.max(
      dearestIn,
      full.input,
      full.cachedInput,
      full.cacheWrite5m,
      full.cacheWrite1h,
      full.audioInput,
    );
    dearestOut = Math.max(dearestOut, full.output, full.reasoning, full.audioOutput);
  }
  return sumNanos([
    [bound.input, dearestIn],
    [boundedOutput(bound), dearestOut],
  ]);
}

/** The most tokens, in and out, that a call within this bound can use. */
export function worstCaseTokens(bound: TokenBound): number {
  return Math.min(bound.input + boundedOutput(bound), Number.MAX_SAFE_INTEGER);
}

function boundedOutput(bound: TokenBound): number {
  return Math.min(bound.output * bound.choices, Number.MAX_SAFE_INTEGER);
}
