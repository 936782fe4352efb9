// Owns step 4: what the prompt holds, as labels and counts.

import {
  type Classification,
  classify as classifyParts,
  type Part as Examined,
} from '@countersign/core/classify/classification';
import type { OrgClassifiers } from '@countersign/core/classify/custom';
import { startWork } from '@countersign/core/classify/patterns';
import type { InferenceRequest, Part } from '@countersign/core/dialects/request-types';
import { type Fragment, fragment } from '@countersign/core/ledger/canonical';
import type { OrgSnapshot } from '../../services/snapshot/org-snapshot.ts';
import type { Rendered } from '../../services/snapshot/rendered.ts';
import type { GatewayDeps } from '../deps.ts';

/** How long an organization's own patterns may take over one request, in milliseconds. */
const ownPatternsMs = 20;

export type Classified = {
  readonly classification: Classification;
  /** The `class` member of the entries. */
  readonly entry: Fragment;
  readonly classifiers: OrgClassifiers | undefined;
  readonly isOpened: boolean;
};

const opaque = { kind: 'opaque', reason: 'unknown' } as const;
const sealed = { kind: 'sealed' } as const;

/** A part for the detectors. What is sealed is opaque for a provider that might show it to its model instead of opening it. */
function examined(part: Part, isOpened: boolean): Examined {
  if (part.kind === 'text') return part;
  return part.reason === 'sealed' && isOpened ? sealed : opaque;
}

/** The `class` member of the entries. Most requests hold nothing, and that is rendered once a version. */
function classFragment({ labels, counts, detector }: Classification, { nothingFound }: Rendered): Fragment {
  if (labels.length > 0) return fragment({ labels, counts, detector });
  const known = nothingFound.get(detector);
  if (known !== undefined) return known;
  const made = fragment({ labels, counts, detector });
  nothingFound.set(detector, made);
  return made;
}

/**
 * Classifies every part of the request. `isOpened`: it goes to a provider that opens what it sealed itself. `before` is
 * used again while it would be the same.
 */
export function classify(
  request: InferenceRequest,
  snapshot: Pick<OrgSnapshot, 'classifiers' | 'rendered'>,
  isOpened: boolean,
  { clock, readText }: Pick<GatewayDeps, 'clock' | 'readText'>,
  before: Classified | undefined,
): Classified {
  const classifiers = snapshot.classifiers();
  if (before !== undefined && before.classifiers === classifiers && before.isOpened === isOpened)
    return before;
  const end = clock() + ownPatternsMs;
  const work = classifiers === undefined ? startWork() : startWork(() => clock() > end);
  const parts = request.parts.map((part) => examined(part, isOpened));
  const classification = classifyParts(parts, classifiers, work, readText);
  const entry = classFragment(classification, snapshot.rendered);
  return { classification, entry, classifiers, isOpened };
}
