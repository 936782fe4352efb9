// Owns the fold of a log's changes: the directory, the version and the policy in force at each place.

import { decodeChange } from '@countersign/core/directory/decode-change';
import { applyChanges, type Directory, emptyDirectory } from '@countersign/core/directory/directory';
import type { Change } from '@countersign/core/directory/objects';
import type { OrgId } from '@countersign/core/ids';
import type { Entry } from '@countersign/core/ledger/entry';
import type { CompiledPolicy } from '@countersign/core/policy/compile';
import { expectSame, type Report } from './difference.ts';

/** A policy as the log published it. `rules` is undefined when its text is missing or cannot be used. */
export type FoldedPolicy = {
  readonly version: number;
  readonly hash: string;
  readonly rules: CompiledPolicy | undefined;
};

export type ReadPolicy = (
  text: string,
) => { readonly ok: true; readonly policy: CompiledPolicy } | { readonly ok: false; readonly reason: string };

export type FoldDeps = {
  readonly readPolicy: ReadPolicy;
  /** SHA-256 of the text's UTF-8 in lower-case hex. */
  readonly sha256Hex: (text: string) => string;
};

/** A published text of which parts are still to come, in entries of the same commit. */
type Pending = {
  readonly version: number;
  readonly hash: string;
  readonly req: string;
  readonly sv: number;
  readonly of: number;
  readonly parts: readonly string[];
};

/** The accumulator. It has one owner and moves forward only. */
export type Fold = {
  readonly directory: Directory;
  policy: FoldedPolicy | undefined;
  pending: Pending | undefined;
  policies: number;
  /** The log continues another one, and what it has told so far is the state at which that went on. */
  isCarrying: boolean;
};

type Changing = Extract<Entry, { readonly type: 'management' | 'erasure' }>;

export function startFold(orgId: OrgId): Fold {
  return {
    directory: emptyDirectory(orgId),
    policy: undefined,
    pending: undefined,
    policies: 0,
    isCarrying: false,
  };
}

/** True for the entries whose changes make versions. */
export function isChanging(entry: Entry): entry is Changing {
  return entry.type === 'management' || entry.type === 'erasure';
}

function partOf(entry: Entry) {
  return entry.type === 'management' ? entry.policy_part : undefined;
}

/** True when this entry carries a further part of the text that is being collected. */
export function continues(fold: Fold, entry: Entry): boolean {
  const { pending } = fold;
  const part = partOf(entry);
  return (
    pending !== undefined &&
    part !== undefined &&
    entry.type === 'management' &&
    entry.req === pending.req &&
    part.of === pending.of &&
    part.n === pending.parts.length + 1
  );
}

/** True for an entry that tells of the state at which a former log goes on here. */
export function carries(entry: Entry): boolean {
  return entry.type === 'management' && entry.op === 'log.continue';
}

/** A log that continues another one begins at a version beyond all that the other can have given out. */
function takeOpening({ directory }: Fold, entry: Entry): boolean {
  if (entry.type !== 'log_opened' || entry.opened.previous === undefined || directory.at.version > 0)
    return false;
  directory.at.version = entry.sv;
  return true;
}

function install(
  deps: FoldDeps,
  fold: Fold,
  pending: Omit<Pending, 'of' | 'req' | 'sv'>,
  report: Report,
): void {
  const { version, hash } = pending;
  const text = pending.parts.join('');
  const found = deps.sha256Hex(text);
  fold.pending = undefined;
  fold.policies += 1;
  if (found !== hash) {
    report('policy_hash_differs', hash, found);
    fold.policy = { version, hash, rules: undefined };
    return;
  }
  const read = deps.readPolicy(text);
  if (!read.ok) report('policy_unusable', `policy of version ${version}`, read.reason);
  fold.policy = { version, hash, rules: read.ok ? read.policy : undefined };
}

function decodeChanges(entry: Changing, report: Report): readonly Change[] | undefined {
  try {
    return (entry.change ?? []).map(decodeChange);
  } catch (error) {
    report('change_unusable', entry.id, error instanceof Error ? error.message : 'unknown');
    return undefined;
  }
}

function takePolicy(
  deps: FoldDeps,
  fold: Fold,
  entry: Changing,
  state: { readonly version: number; readonly hash: string },
  report: Report,
): void {
  const made = fold.directory.at.version;
  expectSame(report, 'version_differs', `policy of version ${state.version}`, `policy of version ${made}`);
  const text = entry.type === 'management' ? entry.policy_text : undefined;
  if (text === undefined) {
    report('policy_text_missing', 'no text', `the text of version ${state.version}`);
    fold.policy = { ...state, rules: undefined };
    return;
  }
  const part = partOf(entry);
  const begun = { version: state.version, hash: state.hash, parts: [text] };
  if (part === undefined) install(deps, fold, begun, report);
  else fold.pending = { ...begun, req: entry.req, sv: entry.sv, of: part.of };
}

/** Nothing further belongs to a text that is being collected: if parts are still missing, that is reported. */
export function endFold(fold: Fold, report: Report): void {
  const { pending } = fold;
  if (pending === undefined) return;
  report('policy_text_missing', `${pending.parts.length} parts`, `${pending.of} parts`);
  fold.policy = { version: pending.version, hash: pending.hash, rules: undefined };
  fold.pending = undefined;
}

/**
 * Takes one entry into the fold and says at which version it was made. An entry of a text's later part was
 * made at the version before the change that began it.
 */
export function takeEntry(deps: FoldDeps, fold: Fold, entry: Entry, report: Report): number {
  const { directory, pending } = fold;
  if (pending !== undefined && continues(fold, entry) && entry.type === 'management') {
    const parts = [...pending.parts, entry.policy_text ?? ''];
    if ((entry.change ?? []).length > 0)
      report('change_differs', 'a further part with changes', 'a text alone');
    if (parts.length === pending.of) install(deps, fold, { ...pending, parts }, report);
    else fold.pending = { ...pending, parts };
    return pending.sv;
  }
  endFold(fold, report);
  fold.isCarrying = takeOpening(fold, entry) || (fold.isCarrying && carries(entry));
  const before = directory.at.version;
  if (!isChanging(entry) || entry.status !== 'ok') return before;
  const changes = decodeChanges(entry, report);
  if (changes === undefined || changes.length === 0) return before;
  applyChanges(directory, before + 1, changes);
  for (const change of changes) {
    if (change.kind === 'policy' && change.state !== null)
      takePolicy(deps, fold, entry, change.state, report);
  }
  return before;
}
