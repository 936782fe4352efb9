// Owns the archive of the log that another one continues: whether it is that log, and where it ended.

import type { Directory } from '@countersign/core/directory/directory';
import type { OrgId } from '@countersign/core/ids';
import { openCheckpoint } from '@countersign/core/ledger/checkpoint';
import { parseVerifierKey } from '@countersign/core/ledger/note';
import type { ContinuedLog } from '../ledger/continued-log.ts';
import { nodeVerifying } from '../ledger/node-verifying.ts';
import type { Progress } from '../ledger/progress.ts';
import { entryTexts } from '../ledger/read-entries.ts';
import { openExport } from '../ledger/read-export.ts';
import { type DirectoryFinding, verifyDirectory } from '../ledger/verify-directory.ts';
import type { FoldDeps } from './fold.ts';
import { foldLog } from './replay-log.ts';

/** `size`: of the archive. `cited`: of the last checkpoint held, which the new log cites. */
export type FormerLog = {
  readonly origin: string;
  readonly size: number;
  readonly cited: number;
  /** Where the former log's key came from: `export` is the archive itself, and proves nothing about who wrote it. */
  readonly key: 'given' | 'export';
};

/** The archive's folder, and the former log's verifier key as it was received apart from it. */
export type FormerArchive = { readonly directory: string; readonly vkey?: string };

export type FormerProblem =
  | { readonly kind: 'continues_none' }
  | { readonly kind: 'another_log'; readonly origin: string; readonly cited: string }
  | { readonly kind: 'cited_not_signed'; readonly origin: string }
  | { readonly kind: 'not_verified'; readonly finding: DirectoryFinding };

export type OpenedFormer =
  | { readonly ok: true; readonly former: FormerLog; readonly directory: Directory }
  | { readonly ok: false; readonly why: FormerProblem };

/**
 * Verifies the archive of the log that is continued, and goes through it. The checkpoint that is cited must be that
 * log's own; the archive ends before it after a restore, and may have other entries after a fork.
 */
export async function openFormer(
  deps: FoldDeps,
  orgId: OrgId,
  { directory, vkey }: FormerArchive,
  continues: ContinuedLog | undefined,
  progress?: Progress,
): Promise<OpenedFormer> {
  if (continues === undefined) return { ok: false, why: { kind: 'continues_none' } };
  const verified = await verifyDirectory(directory, vkey === undefined ? {} : { vkey }, progress);
  if (!verified.ok) return { ok: false, why: { kind: 'not_verified', finding: verified.finding } };
  const { origin, size, verifierKey } = verified;
  if (origin !== continues.origin)
    return { ok: false, why: { kind: 'another_log', origin, cited: continues.origin } };
  const key = parseVerifierKey(nodeVerifying, verifierKey);
  if (key === undefined || !openCheckpoint(nodeVerifying, continues.note, key).ok)
    return { ok: false, why: { kind: 'cited_not_signed', origin } };
  const texts = entryTexts(openExport(directory), size, (done) => progress?.('replaying', done, size));
  const former = {
    origin,
    size,
    cited: continues.size,
    key: vkey === undefined ? 'export' : 'given',
  } as const;
  return { ok: true, former, directory: foldLog(deps, orgId, texts) };
}
