// Owns step 4: what the prompt holds, as labels and counts.

import { type Classification, classify as classifyParts } from '@countersign/core/classify/classification';
import type { OrgClassifiers } from '@countersign/core/classify/custom';
import { startWork } from '@countersign/core/classify/patterns';
import type { InferenceRequest } from '@countersign/core/dialects/request-types';
import { type Fragment, fragment } from '@countersign/core/ledger/canonical';
import type { Rendered } from '../../services/snapshot/rendered.ts';

/** How long an organization's own patterns may take over one request, in milliseconds. */
const ownPatternsMs = 20;

export type Classified = {
  readonly classification: Classification;
  /** The `class` member of the entries. */
  readonly entry: Fragment;
  readonly classifiers: OrgClassifiers | undefined;
};

const opaque = { kind: 'opaque', reason: 'unknown' } as const;

/** The `class` member of the entries. Most requests hold nothing, and that is rendered once a version. */
function classFragment({ labels, counts, detector }: Classification, { nothingFound }: Rendered): Fragment {
  if (labels.length > 0) return fragment({ labels, counts, detector });
  const known = nothingFound.get(detector);
  if (known !== undefined) return known;
  const made = fragment({ labels, counts, detector });
  nothingFound.set(detector, made);
  return made;
}

/** Classifies every part of the request; `before` is used again while the classifiers are the same. */
export function classify(
  request: InferenceRequest,
  classifiers: OrgClassifiers | undefined,
  rendered: Rendered,
  clock: () => number,
  before: Classified | undefined,
): Classified {
  if (before !== undefined && before.classifiers === classifiers) return before;
  const end = clock() + ownPatternsMs;
  const work = classifiers === undefined ? startWork() : startWork(() => clock() > end);
  const parts = request.parts.map((part) => (part.kind === 'text' ? part : opaque));
  const classification = classifyParts(parts, classifiers, work);
  return { classification, entry: classFragment(classification, rendered), classifiers };
}
