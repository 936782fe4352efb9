// Owns the replay of a log: every entry in order, every change folded, every decision taken again.

import type { Directory } from '@countersign/core/directory/directory';
import type { OrgId } from '@countersign/core/ids';
import { type CallOutcome, decodeEntry, type Entry } from '@countersign/core/ledger/entry';
import { type CheckedCall, checkCall } from './check-call.ts';
import { checkManagement, isManaged, type Managed } from './check-management.ts';
import { compareStates } from './compare-states.ts';
import { type Difference, type DifferenceKind, expectSame, type Report } from './difference.ts';
import { carries, continues, endFold, type Fold, type FoldDeps, startFold, takeEntry } from './fold.ts';
import { noOpenCalls, type OpenCalls } from './open-calls.ts';
import { noSeenIds, type SeenIds } from './seen-ids.ts';

/** How many differences are kept; all are counted. */
const maxDifferences = 1_000;

export type Replay = {
  readonly entries: number;
  /** The version at the end of the log. */
  readonly version: number;
  /** Policies that were published. */
  readonly policies: number;
  readonly calls: { readonly [O in CheckedCall['outcome']]: number };
  /** Decisions that were taken again. */
  readonly retaken: number;
  /** Why others were not, and how often. */
  readonly notRetaken: ReadonlyMap<string, number>;
  /** Changes whose maker's permission was checked. */
  readonly permissionsChecked: number;
  /** Calls that went ahead and have no outcome yet. */
  readonly open: number;
  readonly differenceCount: number;
  readonly differenceKinds: ReadonlyMap<DifferenceKind, number>;
  /** The first thousand. */
  readonly differences: readonly Difference[];
};

/** A log whose tree was verified: its origin, and the verifier key that its checkpoint is signed with. */
export type ReplayedLog = { readonly orgId: OrgId; readonly origin: string; readonly vkey: string };

type Tally = {
  readonly calls: { [O in CheckedCall['outcome']]: number };
  readonly notRetaken: Map<string, number>;
  readonly kinds: Map<DifferenceKind, number>;
  readonly differences: Difference[];
  readonly open: OpenCalls;
  readonly seen: SeenIds;
  retaken: number;
  permissionsChecked: number;
  count: number;
};

function countUp<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function reportAt(tally: Tally, index: number, id: string): Report {
  return (kind, recorded, replayed) => {
    tally.count += 1;
    countUp(tally.kinds, kind);
    if (tally.differences.length < maxDifferences)
      tally.differences.push({ index, id, kind, recorded, replayed });
  };
}

function isOutcome(entry: Entry): entry is CallOutcome {
  return 'phase' in entry && entry.phase === 'outcome';
}

function closeIntent(tally: Tally, entry: CallOutcome, version: number, report: Report): void {
  tally.open.close(entry, report);
  // Outcomes are facts: the organization may have moved on since the call was decided, never back.
  if (entry.sv > version) report('version_differs', `decided under ${entry.sv}`, `version ${version} here`);
}

/** The log's first entry, and no other, opens it: under the origin and the key that its checkpoints are signed with. */
function checkOpening(log: ReplayedLog, entry: Entry, index: number, report: Report): void {
  const isFirst = index === 0;
  if (entry.type !== 'log_opened') {
    if (isFirst) report('opening_differs', entry.type, 'log_opened');
    return;
  }
  if (!isFirst) report('opening_differs', `log_opened at place ${index}`, 'at place 0');
  expectSame(report, 'opening_differs', entry.opened.origin, log.origin);
  expectSame(report, 'opening_differs', entry.opened.vkey, log.vkey);
}

/** Entries that the software writes by itself, and those of refused credentials, which are nobody's. */
const writtenBy: ReadonlyMap<Entry['type'], Entry['actor']['kind']> = new Map([
  ['alert', 'system'],
  ['checkpoint', 'system'],
  ['log_opened', 'system'],
  ['refused_credentials', 'anonymous'],
]);

function checkWriter({ type, actor }: Entry, report: Report): void {
  const writer = writtenBy.get(type) ?? actor.kind;
  expectSame(report, 'actor_differs', `${type} by ${actor.kind}`, `${type} by ${writer}`);
}

function checkEntry(fold: Fold, tally: Tally, entry: Entry, version: number, report: Report): void {
  if (isOutcome(entry)) {
    closeIntent(tally, entry, version, report);
    return;
  }
  if (entry.type === 'tool_call') {
    countUp(tally.notRetaken, 'tool calls are not replayed yet');
    if (entry.status === undefined) tally.open.open(fold.directory, entry);
    return;
  }
  if (entry.type !== 'model_call') return;
  const checked = checkCall(fold, entry, version, report);
  tally.calls[checked.outcome] += 1;
  if (entry.status === undefined) tally.open.open(fold.directory, entry);
  if (checked.retaken) tally.retaken += 1;
  if (checked.why !== undefined) countUp(tally.notRetaken, checked.why);
}

/** What was done was decided at its place. A refusal is a fact: changes may lie between it and its entry. */
function checkManagedVersion({ status, sv }: Managed, version: number, report: Report): void {
  if (status === 'ok' ? sv === version : sv <= version) return;
  report('version_differs', `decided under ${sv}`, `version ${version} at this place`);
}

type Taking = { readonly deps: FoldDeps; readonly fold: Fold; readonly former: Directory | undefined };

/** What a log was begun with is held to where the former one ended, as soon as it is told whole. */
function endCarrying({ fold, former }: Taking, report: Report): void {
  if (fold.isCarrying && former !== undefined) compareStates(fold.directory, former, report);
  fold.isCarrying = false;
}

function take(taking: Taking, tally: Tally, entry: Entry, report: Report): void {
  const { deps, fold } = taking;
  if (!carries(entry)) endCarrying(taking, report);
  // Who makes a change is judged by the directory before it.
  if (isManaged(entry) && !continues(fold, entry) && checkManagement(fold, entry, report))
    tally.permissionsChecked += 1;
  checkWriter(entry, report);
  const version = takeEntry(deps, fold, entry, report);
  if (isManaged(entry)) checkManagedVersion(entry, version, report);
  checkEntry(fold, tally, entry, version, report);
}

/** The directory at the end of a log, without a question whether it was made as it should. */
export function foldLog(deps: FoldDeps, orgId: OrgId, texts: Iterable<string>): Directory {
  const fold = startFold(orgId);
  for (const text of texts) {
    const decoded = decodeEntry(text);
    if (decoded.ok) takeEntry(deps, fold, decoded.entry, () => {});
  }
  return fold.directory;
}

/**
 * Replays a log's entries, given in order as their texts. `log` is as its signed checkpoint has it.
 * `former` is the directory at the end of the log that this one continues, if that is known. Pure over its arguments; holds the directory, the calls that are open and every id, not the entries.
 */
export function replayLog(
  deps: FoldDeps,
  log: ReplayedLog,
  texts: Iterable<string>,
  former?: Directory,
): Replay {
  const fold = startFold(log.orgId);
  const taking = { deps, fold, former };
  const tally: Tally = {
    calls: { allowed: 0, denied: 0, requestable: 0, refused: 0 },
    notRetaken: new Map(),
    kinds: new Map(),
    differences: [],
    open: noOpenCalls(deps.sha256Hex),
    seen: noSeenIds(),
    retaken: 0,
    permissionsChecked: 0,
    count: 0,
  };
  let index = 0;
  let last = '';
  for (const text of texts) {
    const decoded = decodeEntry(text);
    const id = decoded.ok ? decoded.entry.id : '';
    const at = index;
    const report = reportAt(tally, at, id);
    last = id;
    index += 1;
    if (!decoded.ok) {
      report('entry_unreadable', text.slice(0, 80), decoded.reason);
      continue;
    }
    if (decoded.entry.log !== log.origin) report('log_differs', decoded.entry.log, log.origin);
    if (!tally.seen.add(decoded.entry.id)) report('id_repeated', decoded.entry.id, 'an id of its own');
    checkOpening(log, decoded.entry, at, report);
    take(taking, tally, decoded.entry, report);
  }
  const report = reportAt(tally, index - 1, last);
  endFold(fold, report);
  endCarrying(taking, report);
  return {
    entries: index,
    version: fold.directory.at.version,
    policies: fold.policies,
    calls: tally.calls,
    retaken: tally.retaken,
    notRetaken: tally.notRetaken,
    permissionsChecked: tally.permissionsChecked,
    open: tally.open.count(),
    differenceCount: tally.count,
    differenceKinds: tally.kinds,
    differences: tally.differences,
  };
}
