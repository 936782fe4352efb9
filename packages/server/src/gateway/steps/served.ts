// Owns which of the models that a call may run it is paid for: the one that its provider says it ran.

import type { InferenceRequest } from '@countersign/core/dialects/request-types';
import type { AnswerReport } from '@countersign/core/dialects/usage-types';
import type { OrgSnapshot } from '../../services/snapshot/org-snapshot.ts';
import { type Metered, meterReport } from './meter.ts';
import type { Selected } from './select-model.ts';

/** What a call used, and by which model. */
export type MeteredCall = Metered & { readonly ran: Selected };

/** What follows a model's name where a provider tells the version that stands behind it: `-2026-04-23`, `@20260423`. */
const versionSuffix = /^[-@:]\d[\d-]*$/;

/** The models of which an answer may speak when it names `said`: by the very name, else as a version of it. */
function meant(models: readonly Selected[], said: string): readonly Selected[] {
  const same = models.filter(({ model }) => model?.upstreamName === said);
  if (same.length > 0) return same;
  return models.filter(({ model }) => {
    const name = model?.upstreamName;
    return name !== undefined && said.startsWith(name) && versionSuffix.test(said.slice(name.length));
  });
}

/**
 * The usage of an answer, as used by the model that it names. Where it names none of those that may run, it was the
 * dearest: a budget on a model is not passed by what a provider leaves out.
 */
export function meterServed(
  snapshot: OrgSnapshot,
  request: InferenceRequest,
  selected: Selected,
  others: readonly Selected[],
  report: AnswerReport,
): MeteredCall {
  if (others.length === 0) return { ...meterReport(snapshot, request, selected, report), ran: selected };
  const all = [selected, ...others];
  const named = report.servedModel === undefined ? [] : meant(all, report.servedModel);
  // Where two models of ours have one name there, the one that was asked for is meant.
  const candidates = named.includes(selected) ? [selected] : named.length > 0 ? named : all;
  const metered = candidates.map((ran) => ({ ...meterReport(snapshot, request, ran, report), ran }));
  return metered.reduce((most, next) => (next.nanos > most.nanos ? next : most));
}
