// Owns what the main thread asks of the writer and the reader.

import type { KeyId, OrgId, UserId } from '@countersign/core/ids';
import type { LogPolicy } from '@countersign/core/ledger/log-policy';
import type { InitInput, Initialized } from '../control/init-organization.ts';
import type { RunRequest, RunResult } from '../control/run-command.ts';
import type { QueryRequest, QueryResult } from '../control/run-query.ts';
import type { StorageConfig } from '../platform/db/open.ts';
import type { JournalSeat } from '../platform/journal/journal.ts';
import type { OrgBatch, OrgCommit } from '../services/ledger/batch.ts';
import type { Standings } from '../services/ledger/journal-hold.ts';
import type { OwedOutcome } from '../services/ledger/owed.ts';
import type { Loaded } from '../services/snapshot/org-snapshot.ts';
import type { ReadCalls } from '../services/snapshot/read.ts';
import type { Step } from '../services/snapshot/snapshots.ts';
import type { CosigningCalls } from './cosigning-calls.ts';
import type { LogFinding } from './log-alert.ts';
import type { LogsChecked } from './log-checks.ts';
import type { FaultNotices } from './thread-faults.ts';

/** Master keys as text travel to the threads that seal: the first seals, all open. */
export type ThreadKeys = readonly { readonly id: string; readonly key: Uint8Array }[];

export type ThreadData = {
  readonly storage: StorageConfig;
  readonly masterKeys: ThreadKeys;
  /** Public host and port, without a scheme: the first part of every ledger's origin. */
  readonly publicHost: string;
  readonly node: string;
  readonly boot: string;
  /** Where the newest checkpoints are appended; undefined: nowhere. */
  readonly checkpointFile: string | undefined;
  /** Whether the main thread hears of the newest checkpoints. */
  readonly tellsCheckpoints: boolean;
  /** How often every log is checked, in milliseconds. */
  readonly logCheckMs: number;
  /** Files with checkpoints that somebody kept, to which the store is held at the start. */
  readonly heldFiles: readonly string[];
  /** Whose cosignatures are kept, and how many must agree; undefined: nobody's. */
  readonly witnesses: LogPolicy | undefined;
};

export type InstallationState = {
  readonly installationId: OrgId;
  readonly hasOrganization: boolean;
  readonly setupDigest: string | null;
  /** The origin of the installation's log. */
  readonly origin: string;
  /** 32 bytes: the key of the HMACs that index addresses without keeping them. */
  readonly indexKey: Uint8Array;
};

/** What the first organization begins with, and the origin of its ledger. */
export type Founded = Initialized & { readonly origin: string };

/** A management key that was made without one, shown once. `expiresAt` is in milliseconds since 1970. */
export type Recovered = {
  readonly ownerId: UserId;
  readonly keyId: KeyId;
  readonly managementKey: string;
  readonly expiresAt: number;
  /** The entry that records it. */
  readonly entryId: string;
};

export type WriterCalls = CosigningCalls & {
  /** Migrates, opens the installation's log on an empty store. */
  open: { request: null; reply: InstallationState };
  /** Commits past the journal; on PostgreSQL there is no other way. */
  commit: { request: readonly OrgBatch[]; reply: readonly OrgCommit[] };
  /** The journal to append to; undefined on PostgreSQL. */
  journal: { request: null; reply: JournalSeat | undefined };
  /** The journal is appended to from now on. */
  appends: { request: null; reply: null };
  settle: { request: null; reply: null };
  /** Writes something that changes nothing, behind whatever the journal holds, and the alerts that are owed. */
  probe: { request: null; reply: null };
  standings: { request: readonly OrgId[]; reply: Standings };
  command: { request: RunRequest; reply: RunResult };
  init: { request: InitInput; reply: Founded };
  /** Makes a management key for an owner, by id or address, or the only one; where no server runs. */
  recover: { request: string | null; reply: Recovered };
  /** Closes what former runs left open; before anything is served. */
  closeOrphans: { request: null; reply: number };
  /** Writes outcomes that could not be recorded when their calls ended. */
  closeOwed: { request: { readonly orgId: OrgId; readonly owed: readonly OwedOutcome[] }; reply: number };
  setupDigest: { request: string | null; reply: null };
  /** Brings the projection of a log up to its head. */
  drain: { request: OrgId; reply: null };
};

/** A log and its newest checkpoint: the signed note, verbatim. */
export type GrownLog = { readonly orgId: string; readonly checkpoint: string };

/**
 * What the writer says by itself: versions in the order of its commits, errors that nobody asked for, that it needs the
 * journal and has done with it, whether the database follows it, what the checks of the logs have found, which logs take
 * no entry because somebody changed their head (all of them, whenever they are others than before), and the newest checkpoint of each log that has grown: at most twice a second, of every log at the start, and the last ones before it
 * has closed.
 */
export type WriterNotices = FaultNotices & {
  step: Step;
  hold: null;
  resume: Standings;
  follows: boolean;
  checkpoints: readonly GrownLog[];
  logsChecked: LogsChecked;
  alteredHeads: readonly LogFinding[];
};

/** What the writer is told: it has the journal, or has it for good. */
export type WriterHears = { held: null; left: null };

export type ReaderCalls = ReadCalls & {
  query: { request: QueryRequest; reply: QueryResult };
  load: { request: OrgId; reply: Loaded | undefined };
};

/** True for what a thread of ours was started with. INVARIANT: only main.ts starts them. */
export function isThreadData(value: unknown): value is ThreadData {
  return typeof value === 'object' && value !== null && 'masterKeys' in value && 'storage' in value;
}
