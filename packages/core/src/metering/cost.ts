// Owns the price of a call: tokens times pico-units, rounded up once to whole nano-units.

import type { Price } from '../directory/scalars.ts';
import { inputTokens, type TokenUsage } from './usage.ts';

/** A price in pico-units (10^-12) per token, with the bucket that only price tables know. */
export type TokenPrice = Price & { readonly cacheWrite1h?: number | undefined };

/** The whole call, not only the part above, costs `price` when more than `overInput` tokens went in. */
export type PriceTier = { readonly overInput: number; readonly price: TokenPrice };

/** What a model costs. Tiers are in rising order of `overInput`. A plain `Price` is a price without tiers. */
export type ModelPrice = TokenPrice & { readonly tiers?: readonly PriceTier[] };

/** A price for every bucket of a usage. */
export type FullPrice = { readonly [Bucket in keyof TokenUsage]: number };

/**
 * States the buckets that a price leaves out, never too low: cached input costs as input; a cache write costs
 * input × 1.25 rounded up and an hour's cache write input × 2 (the ratios that Anthropic publishes), but never
 * less than the price's own cache write; reasoning costs as output. Audio costs as text, which is too low for a model
 * that deals in sound: `priceModel` states it for those.
 */
export function fullPrice(price: TokenPrice): FullPrice {
  const cacheWrite = price.cacheWrite ?? atMost(Math.ceil((price.input * 5) / 4));
  return {
    input: price.input,
    cachedInput: price.cachedInput ?? price.input,
    cacheWrite5m: cacheWrite,
    cacheWrite1h: price.cacheWrite1h ?? Math.max(cacheWrite, atMost(price.input * 2)),
    audioInput: price.audioInput ?? price.input,
    output: price.output,
    reasoning: price.reasoning ?? price.output,
    audioOutput: price.audioOutput ?? price.output,
  };
}

function atMost(picos: number): number {
  return Math.min(picos, Number.MAX_SAFE_INTEGER);
}

/** The price that holds for a call with this many input tokens, cached ones included. */
export function priceAt(price: ModelPrice, tokensIn: number): TokenPrice {
  let at: TokenPrice = price;
  for (const tier of price.tiers ?? []) if (tokensIn > tier.overInput) at = tier.price;
  return at;
}

/** The largest amount of money that is a whole number of nano-units in a JavaScript number. */
export const maxNanos = Number.MAX_SAFE_INTEGER;

const picosPerNano = 1000;

/** The sum of count × price pairs, exact, in nano-units rounded up; `maxNanos` where it would be more. */
export function sumNanos(pairs: readonly (readonly [count: number, picos: number])[]): number {
  let picos = 0;
  for (const [count, each] of pairs) {
    if (!Number.isSafeInteger(count) || count < 0 || !Number.isSafeInteger(each) || each < 0) {
      throw new RangeError('tokens and prices must be whole numbers from 0 to 2^53 - 1');
    }
    picos += count * each;
  }
  // A product or sum that is not exact is at least 2^53, so a safe sum proves that every term was exact.
  if (Number.isSafeInteger(picos)) {
    const rest = picos % picosPerNano;
    return (picos - rest) / picosPerNano + (rest === 0 ? 0 : 1);
  }
  let exact = 0n;
  for (const [count, each] of pairs) exact += BigInt(count) * BigInt(each);
  const nanos = (exact + 999n) / 1000n;
  return nanos > BigInt(maxNanos) ? maxNanos : Number(nanos);
}

/**
 * What a call cost, in nano-units of the organization's currency, rounded up once at the end. The tier is the one
 * for the call's own input. Throws a RangeError on a count that is negative or not whole.
 *
 * @example
 * cost({ input: 2_500_000, output: 10_000_000 }, { ...noUsage, input: 1000, output: 100 }) // 3_500_000: 0.0035
 */
export function cost(price: ModelPrice, usage: TokenUsage): number {
  const each = fullPrice(priceAt(price, inputTokens(usage)));
  const pairs: [count: number, picos: number][] = [
    [usage.input, each.input],
    [usage.output, each.output],
  ];
  // Most calls have no other buckets. A count that is not a number is no zero: it goes on, to be refused.
  if (usage.cachedInput !== 0) pairs.push([usage.cachedInput, each.cachedInput]);
  if (usage.cacheWrite5m !== 0) pairs.push([usage.cacheWrite5m, each.cacheWrite5m]);
  if (usage.cacheWrite1h !== 0) pairs.push([usage.cacheWrite1h, each.cacheWrite1h]);
  if (usage.audioInput !== 0) pairs.push([usage.audioInput, each.audioInput]);
  if (usage.reasoning !== 0) pairs.push([usage.reasoning, each.reasoning]);
  if (usage.audioOutput !== 0) pairs.push([usage.audioOutput, each.audioOutput]);
  return sumNanos(pairs);
}
