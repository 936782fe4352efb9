// Owns the translation of the price source's models into rows of our integer table.

import type { PriceTier, TokenPrice } from '@countersign/core/metering/cost';
import type { PriceRow } from '@countersign/core/metering/price-table';
import type { ConditionalPrice, MatchLogic, ModelInfo, ModelPrice } from '@pydantic/genai-prices';

/** The source's price keys of each of our buckets. Where one bucket has several prices, the dearest counts. */
const bucketKeys = {
  input: ['input_mtok', 'input_image_mtok'],
  output: ['output_mtok', 'output_image_mtok'],
  cachedInput: ['cache_read_mtok', 'cache_audio_read_mtok', 'cache_image_read_mtok'],
  cacheWrite: ['cache_write_mtok'],
  cacheWrite1h: ['cache_write_1h_mtok'],
  audioInput: ['input_audio_mtok'],
  audioOutput: ['output_audio_mtok'],
} as const;

/** Priced by something that is not a token of the call: not in the table. */
const ignoredKeys: readonly string[] = [
  'web_searches_kcount',
  'storage_searches_kcount',
  'audio_hours',
  'input_audio_hours',
];

type Bucket = keyof typeof bucketKeys;
const optional = ['cachedInput', 'cacheWrite', 'cacheWrite1h', 'audioInput', 'audioOutput'] as const;
const buckets: readonly Bucket[] = ['input', 'output', ...optional];

/**
 * One row of the table, as prices stand on `asOf` (YYYY-MM-DD). Throws on anything that it does not know, so that
 * a new release of the source cannot change the meaning of a row unseen.
 */
export function convertModel(model: ModelInfo, asOf: string): PriceRow {
  return { id: model.id, names: [...new Set(patternsOf(model.match))], price: convertPrices(model, asOf) };
}

function patternsOf(match: MatchLogic): string[] {
  if ('or' in match) return match.or.flatMap(patternsOf);
  if ('equals' in match) return [plain(match.equals)];
  if ('starts_with' in match) return [`${plain(match.starts_with)}*`];
  if ('ends_with' in match) return [`*${plain(match.ends_with)}`];
  if ('contains' in match) return [`*${plain(match.contains)}*`];
  if ('regex' in match) return [digits(match.regex)];
  throw new Error(`price source uses a rule that has no pattern: ${JSON.stringify(match)}`);
}

function plain(text: string): string {
  if (/[*#]/.test(text)) throw new Error(`model name with a pattern character: ${text}`);
  return text.toLowerCase();
}

/** `^name-\d{4}-\d{2}$` as `name-####-##`: the only shape of expression that the source uses for these vendors. */
function digits(regex: string): string {
  const body = /^\^(.*)\$$/.exec(regex)?.[1];
  if (body === undefined) throw new Error(`price source uses an open expression: ${regex}`);
  const parts = body.split(/(\\d\{\d+\})/);
  return parts
    .map((part) => {
      const count = /^\\d\{(\d+)\}$/.exec(part)?.[1];
      if (count !== undefined) return '#'.repeat(Number(count));
      const text = part.replaceAll('\\.', '.');
      if (/[\\^$.*+?()[\]{}|]/.test(text.replaceAll('.', '')) || /(^|[^\\])\./.test(part)) {
        throw new Error(`price source uses an unknown expression: ${regex}`);
      }
      return plain(text);
    })
    .join('');
}

function convertPrices(model: ModelInfo, asOf: string): PriceRow['price'] {
  const candidates = Array.isArray(model.prices) ? inForce(model.prices, asOf) : [model.prices];
  const starts = new Set<number>();
  for (const prices of candidates) {
    for (const value of Object.values(prices)) {
      if (typeof value === 'object') for (const tier of value.tiers) starts.add(tier.start);
    }
  }
  const at = (tokensIn: number): TokenPrice | null => dearest(model, candidates, tokensIn);
  const base = at(0);
  if (base === null || starts.size === 0) return base;
  const tiers: PriceTier[] = [];
  for (const overInput of [...starts].sort((a, b) => a - b)) {
    const price = at(overInput + 1);
    if (price !== null) tiers.push({ overInput, price });
  }
  return { ...base, tiers };
}

/**
 * The prices that can hold on or after `asOf`: the last one whose start date has come, those still to come, and
 * those of a time of day, of which the dearest counts.
 */
function inForce(prices: readonly ConditionalPrice[], asOf: string): ModelPrice[] {
  const open: ModelPrice[] = [];
  let current: ModelPrice | undefined;
  for (const { constraint, prices: each } of prices) {
    if (constraint === undefined) current = each;
    else if (constraint.type === 'time_of_date' || constraint.start_date > asOf) open.push(each);
    else current = each;
  }
  return current === undefined ? open : [current, ...open];
}

function dearest(model: ModelInfo, candidates: readonly ModelPrice[], tokensIn: number): TokenPrice | null {
  const found = new Map<Bucket, number>();
  let isFree = true;
  for (const prices of candidates) {
    const known: readonly string[] = [...Object.values(bucketKeys).flat(), ...ignoredKeys];
    for (const key of Object.keys(prices)) {
      isFree = false;
      if (!known.includes(key)) throw new Error(`price source has an unknown price: ${model.id} ${key}`);
    }
    for (const bucket of buckets) {
      for (const key of bucketKeys[bucket]) {
        const picos = picosOf(model.id, prices[key], tokensIn);
        if (picos !== undefined) found.set(bucket, Math.max(found.get(bucket) ?? 0, picos));
      }
    }
  }
  if (isFree) return { input: 0, output: 0 };
  const input = found.get('input');
  if (input === undefined) return null;
  // Embeddings have no output, and no price for it.
  const price: { input: number; output: number } & Partial<Record<Bucket, number>> = {
    input,
    output: found.get('output') ?? 0,
  };
  for (const bucket of optional) {
    const picos = found.get(bucket);
    if (picos !== undefined) price[bucket] = picos;
  }
  return price;
}

/** Currency per million tokens as pico-units per token: × 10^6, which must be a whole number. */
function picosOf(id: string, price: ModelPrice[string], tokensIn: number): number | undefined {
  if (price === undefined) return undefined;
  let perMillion = typeof price === 'number' ? price : price.base;
  if (typeof price === 'object') {
    const rising = [...price.tiers].sort((a, b) => a.start - b.start);
    for (const tier of rising) if (tokensIn > tier.start) perMillion = tier.price;
  }
  const picos = Math.round(perMillion * 1e6);
  if (Math.abs(picos - perMillion * 1e6) > 1e-6) {
    throw new Error(`price of ${id} is finer than a pico-unit: ${perMillion}`);
  }
  return picos;
}
