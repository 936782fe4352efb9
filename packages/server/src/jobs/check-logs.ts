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
import { type Head, listHeads, readHead } from '../stores/heads.ts';
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
  readonly head: Head;
  readonly finding: Finding | undefined;
};

export type LogCheck = {
  /** One pass over every log, each up to its newest checkpoint. Rejects when the store does. */
  readonly run: (signal: AbortSignal, onChecked: (checked: LogChecked) => Promise<void>) => Promise<void>;
};

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
  const former = new Map<OrgId, HeldHead>();

  /** Reads a log as its export would be, slowly. */
  function readerOf(orgId: OrgId, head: Head, signal: AbortSignal): LogReader {
    const files = Math.ceil(head.size / tileWidth) * 2;
    return async (path) => {
      signal.throwIfAborted();
      const tile = parseTilePath(path);
      if (tile === undefined) return undefined;
      const began = clock();
      try {
        return await readTileBytes(db, hasher, orgId, tile);
      } catch (error) {
        // Entries or tiles that are not there; what else fails says nothing of the log.
        if (error instanceof AppError && error.code === 'internal') return undefined;
        throw error;
      } finally {
        await rest(restAfter(clock() - began, files), signal);
      }
    };
  }

  async function check(orgId: OrgId, signal: AbortSignal): Promise<LogChecked | undefined> {
    const head = await readHead(db, orgId);
    if (head === undefined || head.size === 0) return undefined;
    const key = parseVerifierKey(deps, head.verifierKey);
    if (key === undefined) return { orgId, head, finding: { kind: 'signature_missing', file: 'checkpoint' } };
    const held = former.get(orgId);
    const verified = await verifyLog(deps, {
      key,
      checkpoint: head.checkpoint,
      read: readerOf(orgId, head, signal),
      held: held === undefined ? [] : [held],
    });
    if (!verified.ok) return { orgId, head, finding: verified.finding };
    const { size, root } = verified.signed.checkpoint;
    former.set(orgId, { name: 'the pass before', size, root });
    return { orgId, head, finding: undefined };
  }

  return {
    async run(signal, onChecked) {
      for (const { org_id: orgId } of await listHeads(db)) {
        signal.throwIfAborted();
        const checked = isId('org', orgId) ? await check(orgId, signal) : undefined;
        if (checked !== undefined) await onChecked(checked);
      }
    },
  };
}
