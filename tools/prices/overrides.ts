// Owns the prices that the source lacks and its vendors publish: of sound, where the source has text alone.

import type { TokenPrice } from '@countersign/core/metering/cost';
import type { PriceRow } from '@countersign/core/metering/price-table';

type Sound = Required<Pick<TokenPrice, 'audioInput' | 'audioOutput'>>;

/**
 * By the row's id, in pico-units per token. OpenAI's price list, audio tokens, as read on 2026-11-28: 40 and 80 USD per
 * million for gpt-4o-audio-preview, 10 and 20 for gpt-4o-mini-audio-preview.
 */
const sounds: ReadonlyMap<string, Sound> = new Map([
  ['gpt-4o-audio-preview', { audioInput: 40_000_000, audioOutput: 80_000_000 }],
  ['gpt-4o-mini-audio-preview', { audioInput: 10_000_000, audioOutput: 20_000_000 }],
]);

/** Snapshots that cost more than the row of the source in which they fall; tried before it. Same list: 100 and 200 USD. */
const dearer: ReadonlyMap<string, { readonly names: readonly string[]; readonly sound: Sound }> = new Map([
  [
    'gpt-4o-audio-preview',
    {
      names: ['gpt-4o-audio-preview-2024-10-01'],
      sound: { audioInput: 100_000_000, audioOutput: 200_000_000 },
    },
  ],
]);

/**
 * The rows that stand for a row of the source. Throws where the source has learnt a price that we add, so that ours is
 * taken out.
 */
export function overridden(row: PriceRow): readonly PriceRow[] {
  const sound = sounds.get(row.id);
  if (sound === undefined) return [row];
  if (row.price === null || row.price.audioInput !== undefined || row.price.audioOutput !== undefined)
    throw new Error(`the price source has its own price of sound for ${row.id}: take ours out`);
  const more = dearer.get(row.id);
  const usual = { ...row, price: { ...row.price, ...sound } };
  if (more === undefined) return [usual];
  return [{ id: more.names[0] ?? row.id, names: more.names, price: { ...row.price, ...more.sound } }, usual];
}
