// Owns the proof that the price table is the source's: same content, same rows found, same costs.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cost } from '@countersign/core/metering/cost';
import { findPrice } from '@countersign/core/metering/price-table';
import { priceTable } from '@countersign/core/metering/price-table.generated';
import { noUsage } from '@countersign/core/metering/usage';
import { calcPrice, findProvider, type MatchLogic, type ModelInfo } from '@pydantic/genai-prices';
import { convertModel } from './convert.ts';
import { asOf, generateTable, tablePath } from './generate.ts';

const vendors = ['openai', 'anthropic'] as const;
const timestamp = new Date(`${asOf}T12:00:00Z`);

function modelsOf(vendor: string): readonly ModelInfo[] {
  return findProvider({ providerId: vendor })?.models ?? [];
}

/** Names that a rule accepts, and near misses of them. */
function samples(match: MatchLogic): string[] {
  if ('or' in match) return match.or.flatMap(samples);
  if ('equals' in match) return [match.equals, `${match.equals}-x`, match.equals.toUpperCase()];
  if ('starts_with' in match)
    return [match.starts_with, `${match.starts_with}-20250102`, `x${match.starts_with}`];
  if ('contains' in match) return [match.contains, `my-${match.contains}-latest`];
  if ('regex' in match) {
    const text = match.regex.replaceAll(/[\^$\\]/g, '');
    return [text.replaceAll(/d\{(\d)\}/g, (_, n: string) => '20260102'.slice(0, Number(n))), text];
  }
  return [];
}

test('generating the price table again gives the committed file', () => {
  assert.equal(generateTable(), readFileSync(tablePath, 'utf8'));
});

test('the table names its source and content', () => {
  assert.match(priceTable.version, /^genai-prices@\d+\.\d+\.\d+\+[0-9a-f]{12}$/);
});

for (const vendor of vendors) {
  test(`every ${vendor} model, and names near it, finds the row that the source finds`, () => {
    const usage = { input_tokens: 1, output_tokens: 1 };
    let checked = 0;
    for (const model of modelsOf(vendor)) {
      const packed = samples(model.match).map((name) =>
        name.replaceAll(/-(\d{4})-(\d\d)-(\d\d)/g, '-$1$2$3'),
      );
      for (const name of new Set([model.id, ...samples(model.match), ...packed])) {
        const theirs = calcPrice(usage, name, { providerId: vendor, timestamp })?.model.id;
        assert.equal(findPrice(priceTable, vendor, name)?.id, theirs, name);
        checked += 1;
      }
    }
    assert.ok(checked > 100, `only ${checked} names checked`);
  });

  test(`every ${vendor} model priced by text and audio tokens costs what the source computes, in each tier`, () => {
    let checked = 0;
    for (const model of modelsOf(vendor)) {
      const row = findPrice(priceTable, vendor, model.id);
      if (row === undefined || row.price === null || /audio|realtime|image|transcribe/.test(model.id))
        continue;
      for (const tokensIn of [1000, 199_999, 200_001, 272_000, 272_001, 900_000]) {
        const { price } = row;
        const audioInput = price.audioInput === undefined ? 0 : 55;
        const audioOutput = price.audioOutput === undefined ? 0 : 33;
        // The source splits cached audio from cached text, a usage does not.
        const cachedInput = price.cachedInput === undefined || audioInput > 0 ? 0 : 300;
        const cacheWrite5m = price.cacheWrite === undefined ? 0 : 200;
        const cacheWrite1h = price.cacheWrite1h === undefined ? 0 : 100;
        const output = price.output === 0 ? 0 : 77;
        const theirs = calcPrice(
          {
            input_tokens: tokensIn,
            output_tokens: output + audioOutput,
            cache_read_tokens: cachedInput,
            cache_write_tokens: cacheWrite5m + cacheWrite1h,
            cache_write_1h_tokens: cacheWrite1h,
            ...(audioInput > 0 ? { input_audio_tokens: audioInput } : {}),
            ...(audioOutput > 0 ? { output_audio_tokens: audioOutput } : {}),
          },
          model.id,
          { providerId: vendor, timestamp },
        );
        const input = tokensIn - cachedInput - cacheWrite5m - cacheWrite1h - audioInput;
        const parts = { input, cachedInput, cacheWrite5m, cacheWrite1h, audioInput, output, audioOutput };
        const ours = cost(price, { ...noUsage, ...parts });
        assert.ok(theirs !== null);
        // Ours is rounded up to a whole nano; theirs is a float.
        const nanos = theirs.total_price * 1e9;
        assert.ok(ours >= nanos - 1e-3 && ours < nanos + 1 + 1e-3, `${model.id}: ${ours} is not ${nanos}`);
        checked += 1;
      }
    }
    assert.ok(checked > 60, `only ${checked} prices checked`);
  });
}

test('a bucket with several prices takes the dearest: pictures are never billed as text', () => {
  assert.equal(findPrice(priceTable, 'openai', 'gpt-image-1.5')?.price?.output, 32_000_000);
});

test('off-peak hours do not lower a price, and a price still to come does not undercut today’s', () => {
  const night = { input_mtok: 1, output_mtok: 1 };
  const row = convertModel(
    {
      id: 'm',
      match: { equals: 'm' },
      prices: [
        { prices: { input_mtok: 4, output_mtok: 9 } },
        {
          constraint: { type: 'time_of_date', start_time: '00:00:00Z', end_time: '06:00:00Z' },
          prices: night,
        },
        {
          constraint: { type: 'start_date', start_date: '2999-01-01' },
          prices: { input_mtok: 2, output_mtok: 10 },
        },
      ],
    },
    asOf,
  );
  assert.deepEqual(row.price, { input: 4_000_000, output: 10_000_000 });
});

test('a rule, an expression or a price that the generator does not know stops it', () => {
  const prices = { input_mtok: 1, output_mtok: 1 };
  assert.throws(
    () => convertModel({ id: 'm', match: { regex: '^a.*b$' }, prices }, asOf),
    /unknown expression/,
  );
  assert.throws(
    () => convertModel({ id: 'm', match: { and: [{ equals: 'm' }] }, prices }, asOf),
    /no pattern/,
  );
  assert.throws(
    () => convertModel({ id: 'm', match: { equals: 'm' }, prices: { ...prices, input_video_mtok: 1 } }, asOf),
    /unknown price/,
  );
  assert.throws(
    () =>
      convertModel(
        { id: 'm', match: { equals: 'm' }, prices: { input_mtok: 0.0000001, output_mtok: 1 } },
        asOf,
      ),
    /finer than a pico-unit/,
  );
});
