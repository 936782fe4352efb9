// Owns step 6: the worst case of a call, reserved in every budget and limit that covers it, or in none.

import type { InferenceRequest } from '@countersign/core/dialects/request-types';
import { inputBound, outputBound, type TokenCaps } from '@countersign/core/dialects/token-bounds';
import type { Model, Organization } from '@countersign/core/directory/objects';
import type { Price } from '@countersign/core/directory/scalars';
import { AppError } from '@countersign/core/errors';
import { worstCase, worstCaseTokens } from '@countersign/core/metering/bound';
import {
  type Multiplied,
  multiplied,
  multipliedVersion,
  reservedFactor,
} from '@countersign/core/metering/modes';
import type { PricedModel } from '@countersign/core/metering/price-table';
import type { Obligations } from '@countersign/core/policy/types';
import type { OrgSnapshot } from '../../services/snapshot/org-snapshot.ts';
import type { Selected } from './select-model.ts';

/** What a call can take at the most. Media caps are above what any provider bills for one part today. */
export function capsOf(
  organization: Organization,
  model: Model | undefined,
  ceiling: number | undefined,
): TokenCaps {
  return {
    contextWindow: 1_048_576,
    maxOutput: model?.outputCeiling ?? organization.outputCeiling,
    lowered: ceiling,
    perImage: 8_192,
    perAudio: 65_536,
    perFile: 262_144,
    preamble: 1_024,
    hostedRounds: 8,
  };
}

export type WorstCase = {
  readonly input: number;
  readonly output: number;
  readonly nanos: number;
  readonly tokens: number;
  /** Names the price that it was counted with. */
  readonly priceVersion: string;
  /** Whose price that is: the dearest of the models that may run. */
  readonly dearest: Selected;
};

/** What the modes of a call are looked up by. */
export function multipliedOf(
  { dialect, model }: InferenceRequest,
  selected: Selected,
  price: Price,
): Multiplied {
  return { dialect, model: selected.model?.upstreamName ?? model, own: price.serviceTiers };
}

/** The most that a request can cost, in tokens and nano-units. Reading or deleting what is stored costs nothing. */
function worstCaseOf(
  request: InferenceRequest,
  caps: TokenCaps,
  priced: PricedModel,
  dearest: Selected,
): WorstCase {
  const isFree = request.endpoint === 'response_object';
  const bound = isFree
    ? { input: 0, output: 0, choices: 1 }
    : { input: inputBound(request, caps), output: outputBound(request, caps), choices: 1 };
  const { price, version } = priced;
  const tokens = worstCaseTokens(bound);
  const factor = reservedFactor(multipliedOf(request, dearest, price), request.modes);
  const nanos = multiplied(worstCase(price, bound), factor);
  return { ...bound, nanos, tokens, priceVersion: multipliedVersion(version, factor), dearest };
}

/** The dearest of the models that may run: which of them it will be is the provider's choice. */
export function worstOf(
  snapshot: OrgSnapshot,
  request: InferenceRequest,
  models: readonly Selected[],
  { maxTokens }: Obligations,
): WorstCase {
  const organization = snapshot.organization();
  let most: WorstCase | undefined;
  for (const each of models) {
    const { model, provider } = each;
    const caps = capsOf(organization, model, maxTokens);
    const next = worstCaseOf(request, caps, snapshot.price(model, provider), each);
    if (most === undefined) most = next;
    else {
      const tokens = Math.max(most.tokens, next.tokens);
      const output = Math.max(most.output, next.output);
      most = { ...(next.nanos > most.nanos ? next : most), tokens, output };
    }
  }
  if (most === undefined)
    throw new AppError('internal', 'a call without a model or a provider was to be priced');
  return most;
}
