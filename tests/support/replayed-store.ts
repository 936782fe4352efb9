// Owns the last check of every store that a test's server wrote: each log verifies with its copies, and each decision replays.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isId, type OrgId } from '@countersign/core/ids';
import { copyFormats } from '@countersign/core/ledger/copies/formats';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { writeExport } from '@countersign/sdk/ledger/write-export';
import { untold } from '@countersign/sdk/replay/check-untold';
import { describeExportReplay } from '@countersign/sdk/replay/describe-replay';
import { type ExportReplay, replayDirectory } from '@countersign/sdk/replay/replay-directory';
import { openDatabase, type StorageConfig } from '@countersign/server/platform/db/open';
import { readEntries } from '@countersign/server/services/ledger/read-tiles';
import { readSuccession } from '@countersign/server/stores/closed-logs';
import { listHeads, readHead } from '@countersign/server/stores/heads';
import type { Store, Tables } from '@countersign/server/stores/schema';

const entriesAtOnce = 4_096;
const mostCopied = 20_000;

/** What is known of a store's logs: by the id of their organization. */
export type ReplayedStore = ReadonlyMap<string, ExportReplay>;

/** The store that a server's environment names. */
export function storageOf(env: { readonly [name: string]: string | undefined }): StorageConfig {
  const { DATABASE_URL: url, COUNTERSIGN_DATA_DIR: directory = '' } = env;
  return url === undefined ? { kind: 'sqlite', directory } : { kind: 'postgres', url };
}

async function* bundlesOf(store: Store, orgId: OrgId, size: number): AsyncGenerator<Uint8Array, void> {
  for (let from = 0; from < size; from += entriesAtOnce) {
    yield encodeBundle(await readEntries(store, orgId, from, Math.min(size, from + entriesAtOnce)));
  }
}

async function replayLogOf(store: Store, orgId: OrgId): Promise<ExportReplay> {
  const head = await readHead(store, orgId);
  if (head === undefined) throw new Error(`the log of \`${orgId}\` has gone`);
  const { checkpoint, verifierKey: vkey, size } = head;
  const room = mkdtempSync(join(tmpdir(), 'countersign-replay-'));
  try {
    const directory = join(room, 'export');
    // Each copy is made, and made again where the export is verified; not of a log of a measurement.
    const copies = size > mostCopied ? [] : copyFormats;
    const succession = await readSuccession(store, orgId);
    const beside = succession === undefined ? {} : { succession };
    await writeExport(directory, {
      vkey,
      checkpoint,
      ...beside,
      bundles: bundlesOf(store, orgId, size),
      copies,
    });
    return await replayDirectory(directory, { vkey });
  } finally {
    rmSync(room, { recursive: true, force: true });
  }
}

/** Why a replay is not what it must be; undefined if it is. */
function faultOf(result: ExportReplay, isInstallation: boolean): string | undefined {
  if (result.kind !== 'replayed')
    return isInstallation && result.kind === 'no_organization' ? undefined : describeExportReplay(result);
  const { calls, differenceCount, retaken, notRetaken } = result.replay;
  const taken = calls.allowed + calls.denied + calls.requestable + calls.refused;
  const told = Object.values(untold).reduce((sum, why) => sum + (notRetaken.get(why) ?? 0), 0);
  const isWhole = [...notRetaken.values()].reduce((sum, count) => sum + count, 0) === told;
  return differenceCount > 0 || !isWhole || retaken + told !== taken
    ? describeExportReplay(result)
    : undefined;
}

/**
 * Exports every log of a store that no server writes any more, verifies each offline and takes every decision
 * again. Rejects with what differs. `damaged` names the organizations whose log a test made wrong on purpose.
 */
export async function assertReplays(
  storage: StorageConfig,
  damaged: readonly string[] = [],
): Promise<ReplayedStore> {
  const { db, close } = await openDatabase<Tables>(storage, 'read');
  try {
    const results = new Map<string, ExportReplay>();
    for (const { org_id: orgId, log_kind: kind } of await listHeads(db)) {
      if (!isId('org', orgId)) throw new TypeError(`\`${orgId}\` is no organization`);
      if (damaged.includes(orgId)) continue;
      const result = await replayLogOf(db, orgId);
      const fault = faultOf(result, kind === 'installation');
      if (fault !== undefined) throw new Error(`the log of \`${orgId}\` does not replay:\n${fault}`);
      results.set(orgId, result);
    }
    return results;
  } finally {
    await close();
  }
}
