// Owns step 4: what the prompt holds, as labels and counts.

import { type Classification, classify as classifyParts } from '@countersign/core/classify/classification';
import type { OrgClassifiers } from '@countersign/core/classify/custom';
import { startWork } from '@countersign/core/classify/patterns';
import type { InferenceRequest, Part } from '@countersign/core/dialects/request-types';
import { type Fragment, fragment } from '@countersign/core/ledger/canonical';

/** How long an organization's own patterns may take over one request, in milliseconds. */
const ownPatternsMs = 20;

export type Classified = {
  readonly classification: Classification;
  /** The `class` member of the entries. */
  readonly entry: Fragment;
  readonly classifiers: OrgClassifiers | undefined;
};

function detectorPart(part: Part) {
  return part.kind === 'text'
    ? ({ kind: 'text', role: part.role, text: part.text } as const)
    : ({ kind: 'opaque', reason: 'unknown' } as const);
}

/** Classifies every part of the request; `before` is used again while the classifiers are the same. */
export function classify(
  request: InferenceRequest,
  classifiers: OrgClassifiers | undefined,
  clock: () => number,
  before: Classified | undefined,
): Classified {
  if (before !== undefined && before.classifiers === classifiers) return before;
  const end = clock() + ownPatternsMs;
  const work = classifiers === undefined ? startWork() : startWork(() => clock() > end);
  const classification = classifyParts(request.parts.map(detectorPart), classifiers, work);
  const { labels, counts, detector } = classification;
  return { classification, entry: fragment({ labels, counts, detector }), classifiers };
}
