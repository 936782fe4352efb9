// Owns how a model is shown: with the price in force and where that comes from.

import type { modelView } from '@countersign/contract/model-operations';
import type { Model, Provider } from '@countersign/core/directory/objects';
import type { Price } from '@countersign/core/directory/scalars';
import { priceModel } from '@countersign/core/metering/price-table';
import { priceTable } from '@countersign/core/metering/price-table.generated';
import type { z } from 'zod';

/** The view of a model under its provider's kind and the organization's default price. */
export function modelViewOf(
  model: Model,
  providerKind: Provider['kind'],
  defaultPrice: Price,
): z.infer<typeof modelView> {
  const { price: own, upstreamName } = model;
  const priced = priceModel(priceTable, { providerKind, upstreamName, price: own }, defaultPrice);
  const { input, output, cachedInput, cacheWrite, reasoning } = priced.price;
  const { audioInput, audioOutput, serviceTiers } = priced.price;
  const text = { input, output, cachedInput, cacheWrite, reasoning };
  return {
    ...model,
    priceInForce: { ...text, audioInput, audioOutput, serviceTiers },
    priceSource: priced.source === 'model' ? 'override' : priced.source,
  };
}
