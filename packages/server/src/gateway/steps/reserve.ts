// Owns step 6: the worst case of a call, reserved in every budget and limit that covers it, or in none.

import type { InferenceRequest } from '@countersign/core/dialects/request-types';
import { inputBound, outputBound, pictureCap, type TokenCaps } from '@countersign/core/dialects/token-bounds';
import type { Organization } from '@countersign/core/directory/objects';
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

/**
 * What a call can take at the most. The cap of a picture is above what its provider bills for one; those of sound and
 * files are room for 109 minutes at OpenAI's ten tokens a second, and for a document of some 100 pages: what is larger
 * is charged in full when its answer tells.
 */
export function capsOf(
  organization: Organization,
  selected: Selected | undefined,
  ceiling: number | undefined,
): TokenCaps {
  const model = selected?.model;
  const kind = selected?.provider.kind ?? 'openai';
  return {
    contextWindow: 1_048_576,
    maxOutput: model?.outputCeiling ?? organization.outputCeiling,
    lowered: ceiling,
    kind,
    perImage: pictureCap(kind, model?.upstreamName ?? ''),
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
  /** The most that each picture, recording and file counts for. */
  readonly media: Pick<TokenCaps, 'perImage' | 'perAudio' | 'perFile'>;
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
  return { ...bound, nanos, tokens, priceVersion: multipliedVersion(version, factor), media: caps, dearest };
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
    const caps = capsOf(organization, each, maxTokens);
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
