// Owns the continuation of logs that were rolled back, beside no server: archived, closed, and begun under a new origin.

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { AppError } from '@countersign/core/errors';
import { isId, type OrgId } from '@countersign/core/ids';
import { partsOfOrigin } from '@countersign/core/ledger/origin';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { createTreeHasher } from '@countersign/core/ledger/tree';
import type { Kysely } from 'kysely';
import type { Config } from '../platform/config/schema.ts';
import type { OpenDatabase, StorageConfig } from '../platform/db/open.ts';
import { databasePath } from '../platform/db/sqlite-file.ts';
import { createLog } from '../platform/log/log.ts';
import { type BegunLog, type ContinueDeps, continueLog } from '../services/ledger/continue-log.ts';
import { sha256 } from '../services/ledger/crypto.ts';
import { readEntries } from '../services/ledger/read-tiles.ts';
import { loadOrganization } from '../services/snapshot/read.ts';
import { createBuilt } from '../stores/built-statements.ts';
import { listClosedLogs, readSuccession } from '../stores/closed-logs.ts';
import { insertVersion } from '../stores/entries.ts';
import { type Head, listHeads, readHead } from '../stores/heads.ts';
import { writeChange } from '../stores/objects.ts';
import { insertPolicy } from '../stores/policies.ts';
import type { Store, Tables, Tx } from '../stores/schema.ts';
import { carriedState } from './carried-state.ts';
import { openCheckpointFile } from './checkpoint-file.ts';
import { findBroken, type GivenFile, readHeld } from './hold-start.ts';
import { openHeld } from './hold-store.ts';
import { logOpened } from './installation.ts';
import { loadMasterKeys } from './master-keys.ts';
import { type OpenCommitter, openCommitter } from './open-committer.ts';
import { type LaterLogs, laterLogsIn } from './read-checkpoints.ts';
import { readSettings } from './settings.ts';

type Env = { readonly [name: string]: string | undefined };

/** A log that is to be closed, as the store has it, for its archive. */
export type ClosingLog = {
  readonly origin: string;
  readonly verifierKey: string;
  readonly checkpoint: string;
  readonly size: number;
  /** The note by which the log before it has handed over to it, if it continues one. */
  readonly succession: string | undefined;
  readonly bundles: () => AsyncGenerator<Uint8Array, void>;
};

export type ContinueAsked = {
  /** Files with checkpoints that somebody kept, as they were read. */
  readonly held: readonly GivenFile[];
  /** Every log, also those that nothing shows to be rolled back. */
  readonly all: boolean;
  /** Writes and verifies the complete export of a log. Gives the folder. */
  readonly archive: (log: ClosingLog) => Promise<string>;
};

export type ContinuedLog = {
  readonly closed: { readonly origin: string; readonly size: number; readonly archive: string };
  /** The size of the checkpoint that the new log cites. */
  readonly citedSize: number;
  readonly origin: string;
  readonly verifierKey: string;
  readonly size: number;
  readonly version: number;
};

type Chosen = {
  readonly orgId: OrgId;
  readonly kind: 'organization' | 'installation';
  readonly head: Head;
  /** What the new log cites: the last checkpoint held. */
  readonly cited: { readonly note: string; readonly size: number };
  /** What is known of logs that had followed it already, and were lost. */
  readonly later: LaterLogs;
};

/** Beyond whatever a lost part made after the checkpoint that is held: a million changes. */
const versionMargin = 1_000_000;
const entriesAtOnce = 1_024;

function storageOf(config: Config): StorageConfig {
  const url = config.databaseUrl?.reveal();
  if (url !== undefined) return { kind: 'postgres', url, statementTimeoutMs: 0 };
  // Opening would make one, with a master key of its own.
  if (!existsSync(databasePath(config.dataDir)))
    throw new AppError(
      'storage_unavailable',
      `there is no database in \`${config.dataDir}\`: set COUNTERSIGN_DATA_DIR`,
    );
  return { kind: 'sqlite', directory: config.dataDir };
}

/** A log that was continued and has recorded nothing since is not continued again. */
async function isJustBegun(db: Kysely<Tables>, orgId: OrgId, { size }: Head): Promise<boolean> {
  return (await listClosedLogs(db, orgId)).at(-1)?.begunSize === size;
}

/** A continuation may have been lost itself: neither its number nor its versions are given again, as far as the file shows. */
function laterLogs({ checkpointFile }: Config, { origin }: Head): LaterLogs {
  const isThere = checkpointFile !== undefined && existsSync(checkpointFile);
  return isThere ? laterLogsIn(checkpointFile, origin) : { number: partsOfOrigin(origin).number, entries: 0 };
}

async function choose(
  db: Kysely<Tables>,
  config: Config,
  { held: given, all }: ContinueAsked,
  warn: (text: string) => void,
): Promise<readonly Chosen[]> {
  // Whatever a start would be refused for.
  const kept = config.heldCheckpoint === undefined ? [] : [config.heldCheckpoint];
  const held = await readHeld(db, { appended: config.checkpointFile, kept, given }, warn);
  const broken = await findBroken(db, held, config.checkpointFile);
  const chosen: Chosen[] = [];
  for (const { org_id: orgId, log_kind } of await listHeads(db)) {
    const head = isId('org', orgId) ? await readHead(db, orgId) : undefined;
    if (!isId('org', orgId) || head === undefined) continue;
    const found = broken.find((log) => log.orgId === orgId);
    const isAsked = all && !(await isJustBegun(db, orgId, head));
    if (found === undefined && !isAsked) continue;
    const cited =
      found === undefined || found.standing === 'succeeded'
        ? { note: head.checkpoint, size: head.size }
        : { note: found.held.note, size: found.held.checkpoint.size };
    const kind = log_kind === 'installation' ? 'installation' : 'organization';
    chosen.push({ orgId, kind, head, cited, later: laterLogs(config, head) });
  }
  if (chosen.length > 0) return chosen;
  throw new AppError(
    'conflict',
    all
      ? 'every log was continued already, and has recorded nothing since'
      : 'no log of this store was rolled back, as far as the checkpoints show that are known: give one that you kept with --held, or --all to continue every log',
  );
}

async function* bundlesOf(store: Store, orgId: OrgId, size: number): AsyncGenerator<Uint8Array, void> {
  for (let from = 0; from < size; from += entriesAtOnce)
    yield encodeBundle(await readEntries(store, orgId, from, Math.min(size, from + entriesAtOnce)));
}

type Continuing = ContinueDeps & { readonly node: string; readonly boot: string; readonly nowMs: number };

const randomOnes = (count: number): Uint8Array => new Uint8Array(randomBytes(count));

/** Closes one log and begins the next, with all that the organization has. */
async function continueOne(
  deps: Continuing,
  tx: Tx,
  { orgId, kind, head, cited, later }: Chosen,
  archive: string,
): Promise<BegunLog> {
  const { nowMs } = deps;
  const isOrganization = kind === 'organization';
  // INVARIANT: beyond every version that the lost part can have given out: each of its entries made one at most. A lost
  // log had begun as far beyond the one before it as this one does.
  const lost = later.number - partsOfOrigin(head.origin).number;
  const beyond = cited.size + 2 * later.entries + (1 + lost) * versionMargin;
  const from = isOrganization ? head.version + beyond : 0;
  const state = isOrganization ? await loadOrganization(tx, orgId) : undefined;
  const common = { node: deps.node, boot: deps.boot, randomBytes: randomOnes };
  let carried: ReturnType<typeof carriedState> | undefined;
  const begun = await continueLog(deps, tx, orgId, {
    former: head,
    version: from,
    archive,
    usedNumber: later.number,
    nowMs,
    begin(log) {
      const first = logOpened(common, log, nowMs, { previous: cited.note, version: from });
      if (state !== undefined) carried = carriedState(common, log.origin, state, { from, nowMs });
      const { entries = [], made = [] } = carried ?? {};
      return { entries: [first, ...entries], version: made.at(-1)?.version ?? from };
    },
  });
  if (carried === undefined || state === undefined) return begun;
  for (const { version, index } of carried.made) await insertVersion(tx, orgId, version, index + 1);
  const { policy, policyVersion: version } = carried;
  await insertPolicy(tx, orgId, { ...state.policy, version });
  await writeChange(tx, orgId, version, nowMs, policy);
  return begun;
}

async function runContinue(
  config: Config,
  database: OpenDatabase<Tables>,
  open: OpenCommitter,
  boot: string,
  asked: ContinueAsked,
  warn: (text: string) => void,
): Promise<readonly ContinuedLog[]> {
  const { db, direct, dialect } = database;
  const chosen = await choose(db, config, asked, warn);
  await open.projector.drainAll();
  const archived: { log: Chosen; archive: string }[] = [];
  for (const log of chosen) {
    const { origin, verifierKey, checkpoint, size } = log.head;
    const bundles = () => bundlesOf(db, log.orgId, size);
    const succession = await readSuccession(db, log.orgId);
    const closing = { origin, verifierKey, checkpoint, size, succession, bundles };
    archived.push({ log, archive: await asked.archive(closing) });
  }
  const deps = {
    sealer: open.sealer,
    hasher: createTreeHasher(sha256),
    built: createBuilt(direct),
    locksRows: dialect === 'postgres',
    node: config.nodeName,
    boot,
    nowMs: Date.now(),
  };
  // Before anything is closed: what cannot be opened must not be found out behind it.
  const file = openCheckpointFile(config.checkpointFile, () =>
    warn('the new checkpoints could not be appended to the file of checkpoints'),
  );
  let begun: readonly BegunLog[];
  try {
    // INVARIANT: one transaction: a crash leaves every log as it was, or every one continued.
    begun = await db.transaction().execute(async (tx) => {
      const logs: BegunLog[] = [];
      for (const { log, archive } of archived) logs.push(await continueOne(deps, tx, log, archive));
      return logs;
    });
    for (const { head, firstNote } of begun) file.note(head.origin, firstNote);
  } finally {
    file.close();
  }
  return archived.flatMap(({ log, archive }, i) => {
    const head = begun[i]?.head;
    if (head === undefined) return [];
    const closed = { origin: log.head.origin, size: log.head.size, archive };
    const { origin, verifierKey, size, version } = head;
    return [{ closed, citedSize: log.cited.size, origin, verifierKey, size, version }];
  });
}

/**
 * Continues, under new origins and keys, the logs of the store that the environment names, which no server may have:
 * those that do not continue a checkpoint that they have signed, or all. Throws `conflict` where there is none.
 */
export async function continueLogs(env: Env, asked: ContinueAsked): Promise<readonly ContinuedLog[]> {
  const config = readSettings(env);
  const storage = storageOf(config);
  const { keys: masterKeys } = loadMasterKeys(config);
  const log = createLog({ level: 'warn', destination: process.stderr });
  const warn = (text: string): void => log.warn(text);
  const database = await openHeld(storage, { warn, onTaken: (error) => warn(error.message) });
  const boot = randomBytes(8).toString('hex');
  try {
    // What the journal holds is of this store: it is taken in as a start would, before anything is closed.
    const open = await openCommitter({ storage, masterKeys }, database, randomOnes, () => {}, warn, {
      appender: { hold: async () => {}, resume: () => {} },
      onFollowing: () => {},
      onAltered: () => {},
    });
    return await runContinue(config, database, open, boot, asked, warn).finally(open.close);
  } finally {
    await database.close();
  }
}
