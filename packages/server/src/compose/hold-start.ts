// Owns what a store is held to at its start: checkpoints that its logs have signed before, which it must continue.

import { existsSync, readFileSync } from 'node:fs';
import { AppError } from '@countersign/core/errors';
import { isId, type OrgId } from '@countersign/core/ids';
import type { Kysely } from 'kysely';
import { holdAgainst, type Standing } from '../services/ledger/hold-against.ts';
import { listClosedLogs } from '../stores/closed-logs.ts';
import { type Head, listHeads, readHead } from '../stores/heads.ts';
import type { Tables } from '../stores/schema.ts';
import {
  type AskedLog,
  type HeldCheckpoint,
  largestInText,
  newestInFile,
  successorIn,
} from './read-checkpoints.ts';

/** Where checkpoints lie that the logs have signed. */
export type HeldSources = {
  /** The file to which the server appends them; undefined where it appends to none. */
  readonly appended: string | undefined;
  /** Files that somebody kept. */
  readonly kept: readonly string[];
  /** The same where they were read already: a pipe gives its text once. */
  readonly given?: readonly GivenFile[];
};

export type GivenFile = { readonly file: string; readonly text: string };

export type HeldLog = {
  readonly orgId: OrgId;
  readonly head: Head;
  /** One of its checkpoints, the newest of a file, and that file. */
  readonly held: HeldCheckpoint & { readonly file: string };
};

/** A log that does not continue a checkpoint that it has signed, or was closed since and goes on as another one. */
export type Broken =
  | (HeldLog & { readonly standing: Exclude<Standing, 'continued'> })
  | {
      readonly orgId: OrgId;
      readonly head: Head;
      readonly standing: 'succeeded';
      readonly successor: string;
      readonly file: string;
    };

/** Logs that went on under another origin: what was kept of them says nothing of those of now. */
async function readClosed(
  db: Kysely<Tables>,
  logs: readonly { orgId: OrgId }[],
): Promise<readonly AskedLog[]> {
  const closed: AskedLog[] = [];
  for (const { orgId } of logs) closed.push(...(await listClosedLogs(db, orgId)));
  return closed;
}

async function readLogs(db: Kysely<Tables>): Promise<readonly { orgId: OrgId; head: Head }[]> {
  const logs: { orgId: OrgId; head: Head }[] = [];
  for (const { org_id: orgId } of await listHeads(db)) {
    const head = isId('org', orgId) ? await readHead(db, orgId) : undefined;
    if (head !== undefined && isId('org', orgId)) logs.push({ orgId, head });
  }
  return logs;
}

function readKept(file: string): GivenFile {
  try {
    return { file, text: readFileSync(file, 'utf8') };
  } catch (cause) {
    throw new AppError('invalid_request', `\`${file}\` cannot be read: name a checkpoint that you kept`, {
      cause,
    });
  }
}

function largestIn(
  { file, text }: GivenFile,
  logs: readonly AskedLog[],
): ReadonlyMap<string, HeldCheckpoint> {
  const found = largestInText(text, logs);
  if (found.size > 0) return found;
  throw new AppError(
    'invalid_request',
    `\`${file}\` holds no checkpoint that a log of this store has signed` +
      (logs.length === 0 ? ': the store is empty, put the backup in its place first' : ''),
  );
}

function readAppended(file: string, heads: readonly Head[], warn: (text: string) => void) {
  try {
    return newestInFile(file, heads, () =>
      warn(`\`${file}\` is full of notes that no log has signed: the store is not held to all that is in it`),
    );
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isAbsent) warn(`\`${file}\` cannot be read: the store is not held to the checkpoints in it`);
    return new Map<string, HeldCheckpoint>();
  }
}

/**
 * Reads the newest checkpoint of each log in each of the files. Throws `invalid_request` for a kept file that cannot be
 * read or has none; the appended one stops nothing.
 */
export async function readHeld(
  db: Kysely<Tables>,
  { appended, kept, given = [] }: HeldSources,
  warn: (text: string) => void,
): Promise<readonly HeldLog[]> {
  const logs = await readLogs(db);
  const heads = logs.map(({ head }) => head);
  const texts = [...kept.map(readKept), ...given];
  const closed = texts.length === 0 ? [] : await readClosed(db, logs);
  const sources = [
    ...(appended === undefined ? [] : [{ file: appended, found: readAppended(appended, heads, warn) }]),
    ...texts.map((each) => ({ file: each.file, found: largestIn(each, [...heads, ...closed]) })),
  ];
  return logs.flatMap(({ orgId, head }) =>
    sources.flatMap(({ file, found }) => {
      const held = found.get(head.origin);
      return held === undefined ? [] : [{ orgId, head, held: { ...held, file } }];
    }),
  );
}

/** The logs that, as they are in the store now, do not continue one of these; each with the largest of them. */
export async function findBroken(
  db: Kysely<Tables>,
  held: readonly HeldLog[],
  appended: string | undefined,
): Promise<readonly Broken[]> {
  const broken = new Map<OrgId, Extract<Broken, HeldLog>>();
  for (const log of held) {
    const head = await readHead(db, log.orgId);
    if (head === undefined) continue;
    const standing = await holdAgainst(db, log.orgId, head, log.held.checkpoint);
    if (standing === 'continued') continue;
    const known = broken.get(log.orgId)?.held.checkpoint.size ?? -1;
    if (log.held.checkpoint.size > known) broken.set(log.orgId, { ...log, head, standing });
  }
  const succeeded = await findSucceeded(db, appended);
  return [...broken.values(), ...succeeded.filter(({ orgId }) => !broken.has(orgId))];
}

/** Logs of a store from before they were closed. */
async function findSucceeded(db: Kysely<Tables>, file: string | undefined): Promise<readonly Broken[]> {
  if (file === undefined || !existsSync(file)) return [];
  return (await readLogs(db)).flatMap(({ orgId, head }) => {
    const successor = readSuccessor(file, head);
    return successor === undefined ? [] : [{ orgId, head, standing: 'succeeded', successor, file } as const];
  });
}

function readSuccessor(file: string, head: Head): string | undefined {
  try {
    return successorIn(file, head);
  } catch {
    // Whoever reads the checkpoints in it has said so.
    return undefined;
  }
}

function clause(broken: Broken): string {
  const { head, standing } = broken;
  if (standing === 'succeeded')
    return `\`${head.origin}\` was closed, and goes on as \`${broken.successor}\`, which this store does not have (a note in \`${broken.file}\`)`;
  const { held } = broken;
  const { size } = held.checkpoint;
  const entries = `has ${head.size} entries in this store`;
  return standing === 'shorter'
    ? `\`${head.origin}\` ${entries}, but has signed ${size} (a checkpoint in \`${held.file}\`)`
    : `\`${head.origin}\` ${entries}, of which the first ${size} are not those that it has signed (a checkpoint in \`${held.file}\`)`;
}

/** The refusal of a start, in one sentence. */
export function brokenError(broken: readonly Broken[]): AppError {
  return new AppError(
    'ledger_unavailable',
    `${broken.map(clause).join('; ')}: the store was restored from a backup, or entries were cut or changed; ` +
      'put the newer data back, or go on under a new origin with `countersign ledger continue`',
  );
}

/**
 * Opens what signs, over a store that is held to what its logs have signed before. Throws `ledger_unavailable`, before
 * anything is signed, where a log has other entries than it has signed; and when it is open, with the journal taken in,
 * where one is shorter. INVARIANT: a checkpoint leaves the process after its commit is confirmed, so a larger one than
 * the store's is never what a crash left behind.
 */
export async function holdStart<T>(
  db: Kysely<Tables>,
  sources: HeldSources,
  warn: (text: string) => void,
  open: () => Promise<T>,
): Promise<T> {
  const held = await readHeld(db, sources, warn);
  const others = (await findBroken(db, held, sources.appended)).filter(
    ({ standing }) => standing !== 'shorter',
  );
  if (others.length > 0) throw brokenError(others);
  const opened = await open();
  const broken = await findBroken(db, held, sources.appended);
  if (broken.length > 0) throw brokenError(broken);
  return opened;
}
