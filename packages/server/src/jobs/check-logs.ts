// Owns the checking of the logs that we keep, while they are kept: what was changed in the store is found by us first.

import { AppError } from '@countersign/core/errors';
import { isId, type OrgId } from '@countersign/core/ids';
import { parseVerifierKey } from '@countersign/core/ledger/note';
import type { Verifying } from '@countersign/core/ledger/primitives';
import { parseTilePath, tileWidth } from '@countersign/core/ledger/tile';
import { createTreeHasher } from '@countersign/core/ledger/tree';
import { type Finding, type HeldHead, type LogReader, verifyLog } from '@countersign/core/ledger/verify-log';
import type { Kysely } from 'kysely';
import { readTileBytes } from '../services/ledger/read-tiles.ts';
import { listClosedLogs } from '../stores/closed-logs.ts';
import { listHeads, readHead } from '../stores/heads.ts';
import { baseOf } from '../stores/log-places.ts';
import type { Tables } from '../stores/schema.ts';

export type LogCheckDeps = Verifying & {
  readonly db: Kysely<Tables>;
  /** Monotonic, in milliseconds. */
  readonly clock: () => number;
  /** Rests for so many milliseconds, or less if `signal` ends it. */
  readonly rest: (ms: number, signal: AbortSignal) => Promise<void>;
};

/** What a pass found in one log; without a `finding` all of it is as it was signed. */
export type LogChecked = {
  readonly orgId: OrgId;
  readonly origin: string;
  readonly size: number;
  readonly finding: Finding | undefined;
};

/** What is read of a log, the current one or a closed one. `base`: where its rows begin. */
type KeptLog = {
  readonly orgId: OrgId;
  readonly origin: string;
  readonly verifierKey: string;
  readonly checkpoint: string;
  readonly size: number;
  readonly base: number;
};

export type LogCheck = {
  /** One pass over every log, closed ones too, each up to its newest checkpoint. Rejects when the store does. */
  readonly run: (signal: AbortSignal, onChecked: (checked: LogChecked) => Promise<void>) => Promise<void>;
};

/** An organization's logs with entries, the current one first. */
async function logsOf(db: Kysely<Tables>, orgId: OrgId): Promise<readonly KeptLog[]> {
  const head = await readHead(db, orgId);
  const closed = await listClosedLogs(db, orgId);
  return [
    ...(head === undefined ? [] : [{ ...head, orgId, base: 0 }]),
    ...closed.map((log) => ({ ...log, orgId, base: baseOf(log.number) })),
  ].filter(({ size }) => size > 0);
}

/** The share of one processor that a pass may take, and what one log may take of time, in milliseconds. */
const share = 0.05;
const mostMs = 25 * 60 * 1_000;

/** How much later the next file is read, when the last took `tookMs` and the log has `files`. */
function restAfter(tookMs: number, files: number): number {
  return Math.min(tookMs * (1 / share - 1), mostMs / files);
}

/**
 * Checks what export and `ledger verify` check, against the store itself, and each log against its own head of the
 * pass before: a store that was set back is not what it was, however well it fits together.
 */
export function createLogCheck(deps: LogCheckDeps): LogCheck {
  const { db, clock, rest } = deps;
  const hasher = createTreeHasher(deps.sha256);
  const former = new Map<string, HeldHead>();

  /** Reads a log as its export would be, slowly. */
  function readerOf({ orgId, size, base }: KeptLog, signal: AbortSignal): LogReader {
    const files = Math.ceil(size / tileWidth) * 2;
    return async (path) => {
      signal.throwIfAborted();
      const tile = parseTilePath(path);
      if (tile === undefined) return undefined;
      const began = clock();
      try {
        return await readTileBytes(db, hasher, orgId, tile, base);
      } catch (error) {
        // Entries or tiles that are not there; what else fails says nothing of the log.
        if (error instanceof AppError && error.code === 'ledger_unavailable') return undefined;
        throw error;
      } finally {
        await rest(restAfter(clock() - began, files), signal);
      }
    };
  }

  async function check(log: KeptLog, signal: AbortSignal): Promise<LogChecked> {
    const { orgId, origin, size, base } = log;
    const key = parseVerifierKey(deps, log.verifierKey);
    const checked = { orgId, origin, size };
    if (key === undefined) return { ...checked, finding: { kind: 'signature_missing', file: 'checkpoint' } };
    const name = `${orgId} ${base}`;
    const held = former.get(name);
    const verified = await verifyLog(deps, {
      key,
      checkpoint: log.checkpoint,
      read: readerOf(log, signal),
      held: held === undefined ? [] : [held],
    });
    if (!verified.ok) return { ...checked, finding: verified.finding };
    const { checkpoint } = verified.signed;
    former.set(name, { name: 'the pass before', size: checkpoint.size, root: checkpoint.root });
    return { ...checked, finding: undefined };
  }

  return {
    async run(signal, onChecked) {
      for (const { org_id: orgId } of await listHeads(db)) {
        signal.throwIfAborted();
        if (!isId('org', orgId)) continue;
        for (const log of await logsOf(db, orgId)) await onChecked(await check(log, signal));
      }
    },
  };
}
