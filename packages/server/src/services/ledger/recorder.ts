// Owns the way of an entry from a request to a durable place: whatever waits is committed together.

import { AppError } from '@countersign/core/errors';
import type { EntryId, OrgId } from '@countersign/core/ids';
import type { ProviderObject } from '../../stores/provider-objects.ts';
import type { Sidecar } from '../../stores/secrets.ts';
import type { Beside, OrgBatch, OrgCommit } from './batch.ts';

/** What became of an entry: its place, or that it was decided under an older version and is not recorded. */
export type Recorded =
  | { readonly kind: 'recorded'; readonly index: number; readonly version: number }
  | { readonly kind: 'stale'; readonly version: number };

export type ToRecord = {
  readonly orgId: OrgId;
  /** The canonical text. */
  readonly text: string;
  /** The version under which it was decided; -1 for a fact. */
  readonly version: number;
  readonly sidecars?: readonly Sidecar[] | undefined;
  readonly objects?: readonly ProviderObject[] | undefined;
  /** The outcome that must close an intent later, should this entry not be recorded and that intent be open. */
  readonly closes?: (() => { readonly intent: EntryId; readonly text: string }) | undefined;
};

export type Recorder = {
  /**
   * Resolves once the entry is durable (or refused as stale). Rejects with `ledger_unavailable` when it
   * cannot be made durable: nothing may then be dispatched or answered as if it were.
   */
  readonly record: (entry: ToRecord) => Promise<Recorded>;
  /** Entries that wait or are being committed. */
  readonly pending: () => number;
  /** Resolves when nothing is pending. */
  readonly idle: () => Promise<void>;
};

export type RecorderDeps = {
  readonly commit: (batches: readonly OrgBatch[]) => Promise<readonly OrgCommit[]>;
  /** Entries a commit takes at most. */
  readonly maxBatch: number;
  /** Entries that may wait before further ones are refused with `overloaded`. */
  readonly maxWaiting: number;
  /** Milliseconds between two commits while there are calls that may yet join the next one, by how many there are. */
  readonly gatherMs: (underWay: number) => number;
  /** Calls under way: when as many entries wait, nobody can join. */
  readonly underWay: () => number;
  readonly onCommit?: (entries: number, milliseconds: number) => void;
  readonly onFailure?: (error: unknown, entries: number) => void;
};

type Waiting = {
  readonly entry: ToRecord;
  readonly resolve: (recorded: Recorded) => void;
  readonly reject: (error: AppError) => void;
};

const failedMessage = 'the record could not be written, so nothing was done: retry shortly';

function failAll(batch: readonly Waiting[], cause: unknown): void {
  const error = new AppError('ledger_unavailable', failedMessage, { retryAfterSeconds: 1, cause });
  for (const { reject } of batch) reject(error);
}

/** (u16 big-endian length ‖ UTF-8) for each text, in one buffer that is handed over. */
function bundleOf(entries: readonly Waiting[]): Uint8Array {
  let size = 0;
  const lengths = entries.map(({ entry: { text } }) => {
    const length = Buffer.byteLength(text, 'utf8');
    if (length > 65_535) throw new AppError('internal', 'an entry is longer than its length field can say');
    size += 2 + length;
    return length;
  });
  // Memory of its own and of the exact size: it is handed over to another thread as a whole.
  const buffer = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const [i, { entry }] of entries.entries()) {
    at = buffer.writeUInt16BE(lengths[i] ?? 0, at);
    at += buffer.write(entry.text, at, 'utf8');
  }
  return buffer;
}

function groupByOrg(entries: readonly Waiting[]): Map<OrgId, Waiting[]> {
  const groups = new Map<OrgId, Waiting[]>();
  for (const waiting of entries) {
    const { orgId } = waiting.entry;
    const group = groups.get(orgId);
    if (group === undefined) groups.set(orgId, [waiting]);
    else group.push(waiting);
  }
  return groups;
}

/** What lies beside the entries: most have nothing. */
function besideOf<T>(
  entries: readonly Waiting[],
  of: (entry: ToRecord) => readonly T[] | undefined,
): Beside<T>[] {
  const found: Beside<T>[] = [];
  for (const [position, { entry }] of entries.entries()) {
    const own = of(entry);
    if (own !== undefined) for (const value of own) found.push({ position, value });
  }
  return found;
}

function batchOf(orgId: OrgId, entries: readonly Waiting[]): OrgBatch {
  return {
    orgId,
    bundle: bundleOf(entries),
    versions: entries.map(({ entry }) => entry.version),
    sidecars: besideOf(entries, ({ sidecars }) => sidecars),
    objects: besideOf(entries, ({ objects }) => objects),
  };
}

function settle(entries: readonly Waiting[], commit: OrgCommit): void {
  for (const [i, { resolve }] of entries.entries()) {
    const index = commit.indices[i] ?? -1;
    if (index < 0) resolve({ kind: 'stale', version: commit.version });
    else resolve({ kind: 'recorded', index, version: commit.version });
  }
}

/** Commits a batch and answers everyone in it. Never rejects. */
async function commitWaiting(deps: RecorderDeps, batch: readonly Waiting[]): Promise<void> {
  const groups = groupByOrg(batch);
  const started = performance.now();
  try {
    const commits = await deps.commit([...groups].map(([orgId, entries]) => batchOf(orgId, entries)));
    deps.onCommit?.(batch.length, performance.now() - started);
    for (const commit of commits) {
      settle(groups.get(commit.orgId) ?? [], commit);
      groups.delete(commit.orgId);
    }
    // Whoever was not answered was not committed, as far as anyone can prove.
    for (const rest of groups.values()) failAll(rest, undefined);
  } catch (error) {
    deps.onFailure?.(error, batch.length);
    failAll(batch, error);
  }
}

/** Milliseconds until so many entries are to be committed, when the last commit began at `lastAt`. */
function restOf(deps: RecorderDeps, waiting: number, underWay: number, lastAt: number): number {
  if (waiting >= Math.min(underWay, deps.maxBatch)) return 0;
  return lastAt + deps.gatherMs(underWay) - performance.now();
}

function wakeAll(idlers: Set<() => void>): void {
  // A set that is cleared gets a new table, to which the old one points: what is old keeps each of them.
  if (idlers.size === 0) return;
  for (const wake of idlers) wake();
  idlers.clear();
}

/**
 * A recorder with one commit under way at a time: what arrives meanwhile is the next batch, so that the batch grows
 * with the load. A lone entry waits for nobody. When others may come, commits keep a distance: each costs the same,
 * whether it holds one entry or thirty.
 */
export function createRecorder(deps: RecorderDeps): Recorder {
  const waiting: Waiting[] = [];
  let inFlight = 0;
  let lastAt = Number.NEGATIVE_INFINITY;
  let isDue = false;
  let timer: NodeJS.Timeout | undefined;
  const idlers = new Set<() => void>();

  function schedule(): void {
    if (isDue || inFlight > 0 || waiting.length === 0) return;
    const underWay = deps.underWay();
    const left = restOf(deps, waiting.length, underWay, lastAt);
    if (left > 0) {
      timer ??= setTimeout(flush, left);
      return;
    }
    isDue = true;
    // A call that is alone gains nothing by the wait for the end of this turn.
    if (underWay <= 1) queueMicrotask(flush);
    else setImmediate(flush);
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    isDue = false;
    if (inFlight > 0 || waiting.length === 0) return;
    const batch = waiting.splice(0, deps.maxBatch);
    inFlight = batch.length;
    lastAt = performance.now();
    void commitWaiting(deps, batch).finally(() => {
      inFlight = 0;
      if (waiting.length === 0) wakeAll(idlers);
      else schedule();
    });
  }

  return {
    record(entry) {
      if (waiting.length >= deps.maxWaiting) {
        return Promise.reject(
          new AppError('ledger_unavailable', 'too many records wait to be written: retry shortly', {
            retryAfterSeconds: 1,
          }),
        );
      }
      return new Promise((resolve, reject) => {
        waiting.push({ entry, resolve, reject });
        schedule();
      });
    },
    pending: () => waiting.length + inFlight,
    idle: () =>
      waiting.length + inFlight === 0 ? Promise.resolve() : new Promise((resolve) => idlers.add(resolve)),
  };
}
