// Owns the lookup of a model in a price table by the table's own rules.

import type { Provider } from '../directory/objects.ts';
import type { Price } from '../directory/scalars.ts';
import type { ModelPrice } from './cost.ts';
import { dateOfDay, dayOfDate } from './period.ts';

/**
 * One model of a table. `names` are patterns over a lower-case name: `#` stands for one digit, `*` at either end for
 * anything. `price` is `null` for a model that is not sold by the token.
 */
export type PriceRow = {
  readonly id: string;
  readonly names: readonly string[];
  readonly price: ModelPrice | null;
};

/** A price table: rows in the order in which they are tried, by the name of the vendor. */
export type PriceTable = {
  /** Goes into every record: the source's version and a hash of the table's content. */
  readonly version: string;
  readonly vendors: { readonly openai: readonly PriceRow[]; readonly anthropic: readonly PriceRow[] };
};

/** Where a price came from: the organization's own word, a table, or the organization's default. */
export type PricedModel = {
  readonly price: ModelPrice;
  readonly source: 'model' | 'table' | 'default';
  /** The table's version where `source` is `table`; else the source. */
  readonly version: string;
};

/**
 * The row that prices a model, or `undefined` when the table does not know it. Upstreams that only speak OpenAI's
 * dialect set their own prices, so no table is searched for them. Linear in the table: look up when a snapshot is
 * compiled, not on each call.
 */
export function findPrice(
  table: PriceTable,
  providerKind: Provider['kind'],
  upstreamModel: string,
): PriceRow | undefined {
  if (providerKind !== 'openai' && providerKind !== 'anthropic') return undefined;
  const rows = table.vendors[providerKind];
  const name = upstreamModel.toLowerCase().trim();
  const dashed = withDashedDates(name);
  return findRow(rows, name) ?? (dashed === name ? undefined : findRow(rows, dashed));
}

/**
 * What a call to a model costs: the model's own price, else the table's, else the organization's default for models
 * that no table knows. Never nothing.
 */
export function priceModel(
  table: PriceTable,
  model: {
    readonly providerKind: Provider['kind'];
    readonly upstreamName: string;
    readonly price?: Price | undefined;
  },
  defaultPrice: Price,
): PricedModel {
  const { providerKind, upstreamName } = model;
  if (model.price !== undefined)
    return { price: withSound(model.price, upstreamName), source: 'model', version: 'model' };
  const price = findPrice(table, providerKind, upstreamName)?.price;
  if (price !== undefined && price !== null)
    return { price: withSound(price, upstreamName), source: 'table', version: table.version };
  return { price: withSound(defaultPrice, upstreamName), source: 'default', version: 'default' };
}

/** Names of models that hear and speak. Speech and transcripts alone (`tts`, `transcribe`) have their own prices. */
const sounding = /audio|realtime|omni/i;

/** The most that a vendor charges for sound by its price of text, rounded up: gpt-4o-mini-audio-preview, 10 by 0.15 and 20 by 0.6 USD. */
const soundByText = { input: 67, output: 34 } as const;

/** The price of a model whose name says that it deals in sound: where none is stated for it, the dearest ratio that is known. */
function withSound(price: ModelPrice, upstreamName: string): ModelPrice {
  const isStated = price.audioInput !== undefined && price.audioOutput !== undefined;
  if (isStated || !sounding.test(upstreamName)) return price;
  const most = (picos: number) => Math.min(picos, Number.MAX_SAFE_INTEGER);
  return {
    ...price,
    audioInput: price.audioInput ?? most(price.input * soundByText.input),
    audioOutput: price.audioOutput ?? most(price.output * soundByText.output),
    ...(price.tiers === undefined
      ? {}
      : {
          tiers: price.tiers.map((tier) => ({ ...tier, price: withSound(tier.price, upstreamName) })),
        }),
  };
}

function findRow(rows: readonly PriceRow[], name: string): PriceRow | undefined {
  return rows.find((row) => row.names.some((pattern) => isMatch(pattern, name)));
}

/** Whether a lower-case name fits a pattern of a price row. */
export function isMatch(pattern: string, name: string): boolean {
  const open = pattern.endsWith('*');
  const core = pattern.slice(pattern.startsWith('*') ? 1 : 0, open ? -1 : undefined);
  if (pattern.startsWith('*')) return open ? name.includes(core) : name.endsWith(core);
  if (open) return name.startsWith(core);
  if (name.length !== core.length) return false;
  for (let i = 0; i < core.length; i += 1) {
    const want = core.charAt(i);
    const have = name.charAt(i);
    if (want === '#' ? have < '0' || have > '9' : want !== have) return false;
  }
  return true;
}

const packedDate = /-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)/g;

/** `model-20250807` as `model-2025-08-07`: some resellers pack the date that a vendor writes with dashes. */
function withDashedDates(name: string): string {
  return name.replace(packedDate, (whole, year: string, month: string, day: string) => {
    const date = dateOfDay(dayOfDate(Number(year), Number(month), Number(day)));
    return date.month === Number(month) && date.day === Number(day) ? `-${year}-${month}-${day}` : whole;
  });
}
