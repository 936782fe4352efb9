// Owns the entries that carry directory and policy of one log into the beginning of the next.

import type { Change } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { makeEntryId, makeRequestId } from '@countersign/core/ids';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import { managementEntries } from '../control/management-entry.ts';
import type { Loaded } from '../services/snapshot/org-snapshot.ts';
import { systemActor } from './installation.ts';

export type CarryDeps = {
  readonly node: string;
  readonly boot: string;
  readonly randomBytes: (count: number) => Uint8Array;
};

type Carried = {
  readonly entries: readonly Uint8Array[];
  /** Which of the entries made which version. */
  readonly made: readonly { readonly version: number; readonly index: number }[];
  /** The policy's state, and the version under which it is published anew. */
  readonly policy: Change;
  readonly policyVersion: number;
};

/** Of an entry's 65,535 bytes the rest is for who, when and why. */
const stateBytes = 48_000;

export const carriedOperation = 'log.continue';

const why = 'the state at which the log that this one continues goes on here';

/** Changes in their order, as many together as an entry holds. */
function* groupsOf(changes: readonly Change[]): Generator<readonly Change[], void> {
  let group: Change[] = [];
  let bytes = 0;
  for (const change of changes) {
    const length = Buffer.byteLength(canonicalJson({ change }), 'utf8');
    if (group.length > 0 && bytes + length > stateBytes) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(change);
    bytes += length;
  }
  if (group.length > 0) yield group;
}

/** The entries behind the first one of a log, which is at version `from`; each group of changes makes a version. */
export function carriedState(
  deps: CarryDeps,
  origin: string,
  { changes, policy: source }: Loaded,
  { from, nowMs }: { readonly from: number; readonly nowMs: number },
): Carried {
  const entries: Uint8Array[] = [];
  const made: { version: number; index: number }[] = [];
  const { node, boot, randomBytes } = deps;
  const add = (group: readonly Change[], policyText?: string): number => {
    const version = from + made.length;
    const { bytes } = managementEntries(
      { node, boot, origin, version },
      {
        request: { actor: { entryActor: systemActor }, requestId: makeRequestId(nowMs, randomBytes(10)) },
        audit: carriedOperation,
        outcome: {
          response: null,
          changes: group,
          entry: { type: 'management', reason: why, ...(policyText === undefined ? {} : { policyText }) },
        },
        entryIds: { now: nowMs, next: () => makeEntryId(nowMs, randomBytes(10)) },
      },
    );
    made.push({ version: version + 1, index: entries.length });
    entries.push(...bytes);
    return version + 1;
  };
  for (const group of groupsOf(changes.filter(({ kind }) => kind !== 'policy'))) add(group);
  const published = changes.find((change) => change.kind === 'policy');
  if (published?.kind !== 'policy' || published.state === null)
    throw new AppError('internal', 'the organization has no policy');
  const policyVersion = from + made.length + 1;
  const policy = { ...published, state: { ...published.state, version: policyVersion } };
  add([policy], source.text);
  return { entries, made, policy, policyVersion };
}
