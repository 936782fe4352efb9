// Owns step 9: from what an answer says of itself, or our own count, to tokens and money.

import type { InferenceRequest, InputCounts } from '@countersign/core/dialects/request-types';
import type { AnswerReport } from '@countersign/core/dialects/usage-types';
import type { UsageParts } from '@countersign/core/ledger/assemble';
import { cost } from '@countersign/core/metering/cost';
import { chargedFactor, multiplied, multipliedVersion } from '@countersign/core/metering/modes';
import { addNanos } from '@countersign/core/metering/rules';
import { type TokenUsage, totalTokens } from '@countersign/core/metering/usage';
import type { ModelShare } from '../../services/meter/state.ts';
import type { OrgSnapshot } from '../../services/snapshot/org-snapshot.ts';
import { multipliedOf, type WorstCase } from './reserve.ts';
import type { Selected } from './select-model.ts';

/** What a call used, for its outcome entry and for its budgets. */
export type Metered = {
  readonly usage: UsageParts;
  readonly nanos: number;
  readonly tokens: number;
  /** What of it was another model's, that the provider ran beside. */
  readonly beside?: readonly ModelShare[];
};

/** Four bytes of text a token: the usual ratio for English prose, and near that of other scripts. Only ever used where an answer is flagged as estimated. */
export const bytesPerToken = 4;

/**
 * Our own guess at a prompt's tokens: from its bytes, and of what is no text the most that is billed for it, as it was
 * reserved: nothing else is known of it, and it must not be free for who leaves before its count comes.
 */
export function estimatedInput({ textBytes, images, audios, files }: InputCounts, worst: WorstCase): number {
  const { perImage, perAudio, perFile } = worst.media;
  const media = images * perImage + audios * perAudio + files * perFile;
  return Math.min(Math.ceil(textBytes / bytesPerToken) + media, worst.input);
}

function otherNamed(snapshot: OrgSnapshot, name: string, selected: Selected) {
  for (const model of snapshot.directory.tables.model.values()) {
    if (model.providerId !== selected.provider.id || model.upstreamName !== name) continue;
    return { id: model.id, price: snapshot.price(model, selected.provider).price };
  }
  return undefined;
}

function parts(
  usage: TokenUsage,
  nanos: number,
  snapshot: OrgSnapshot,
  version: string,
  estimated: boolean,
): UsageParts {
  return {
    in: usage.input + usage.audioInput,
    out: usage.output + usage.audioOutput,
    cached: usage.cachedInput === 0 ? undefined : usage.cachedInput,
    cache_write: usage.cacheWrite5m === 0 ? undefined : usage.cacheWrite5m,
    cache_write_1h: usage.cacheWrite1h === 0 ? undefined : usage.cacheWrite1h,
    reasoning: usage.reasoning === 0 ? undefined : usage.reasoning,
    cost_nanos: nanos,
    currency: snapshot.organization().currency,
    price_version: version,
    source: estimated ? 'estimated' : 'provider',
  };
}

/**
 * The usage of an answer with its cost, in the tier, speed and region that it ran in. Models that the provider ran
 * beside are priced by themselves.
 */
export function meterReport(
  snapshot: OrgSnapshot,
  request: InferenceRequest,
  selected: Selected,
  report: AnswerReport,
): Metered {
  const { price, version } = snapshot.price(selected.model, selected.provider);
  const factor = chargedFactor(multipliedOf(request, selected, price), request.modes, report.modes);
  let nanos = multiplied(cost(price, report.usage), factor);
  let tokens = totalTokens(report.usage);
  const beside: ModelShare[] = [];
  for (const other of report.otherModels) {
    const known = otherNamed(snapshot, other.model, selected);
    const each = multiplied(cost(known?.price ?? price, other.usage), factor);
    const share = { nanos: each, tokens: totalTokens(other.usage) };
    nanos = addNanos(nanos, share.nanos);
    tokens += share.tokens;
    if (known !== undefined) beside.push({ modelId: known.id, ...share });
  }
  const usage = parts(report.usage, nanos, snapshot, multipliedVersion(version, factor), report.estimated);
  return beside.length === 0 ? { usage, nanos, tokens } : { usage, nanos, tokens, beside };
}

/**
 * What a call is charged when nobody can know what it used: its request left and no answer came. INVARIANT:
 * it is what was reserved, so that no disconnect makes a budget smaller than the bill.
 */
export function meterUnknown(snapshot: OrgSnapshot, worst: WorstCase): Metered {
  return {
    usage: {
      in: worst.input,
      out: worst.output,
      cost_nanos: worst.nanos,
      currency: snapshot.organization().currency,
      price_version: worst.priceVersion,
      source: 'estimated',
    },
    nanos: worst.nanos,
    tokens: worst.tokens,
  };
}
