// Owns the archive of the log that another one continues: whether it is that log, and where it ended.

import type { Directory } from '@countersign/core/directory/directory';
import type { OrgId } from '@countersign/core/ids';
import { openCheckpoint } from '@countersign/core/ledger/checkpoint';
import { parseVerifierKey } from '@countersign/core/ledger/note';
import { nodeVerifying } from '../ledger/node-verifying.ts';
import type { Progress } from '../ledger/progress.ts';
import { entryTexts } from '../ledger/read-entries.ts';
import { openExport } from '../ledger/read-export.ts';
import type { Handover } from '../ledger/succession-beside.ts';
import {
  type DirectoryFinding,
  type DirectoryVerification,
  verifyDirectory,
} from '../ledger/verify-directory.ts';
import type { FoldDeps } from './fold.ts';
import { foldLog } from './replay-log.ts';

/** `size`: of the archive. `cited`: of the last checkpoint held, which the new log cites. */
export type FormerLog = {
  readonly origin: string;
  readonly size: number;
  readonly cited: number;
  /**
   * Where the former log's key came from: `handover` is the note in the new log's export, which both keys have signed;
   * `export` is the archive itself, and proves nothing about who wrote it.
   */
  readonly key: 'given' | 'handover' | 'export';
};

/** The archive's folder, and the former log's verifier key as it was received apart from it. */
export type FormerArchive = { readonly directory: string; readonly vkey?: string };

export type FormerProblem =
  | { readonly kind: 'continues_none' }
  | { readonly kind: 'another_log'; readonly origin: string; readonly cited: string }
  | { readonly kind: 'cited_not_signed'; readonly origin: string }
  /** The note that hands over is of another key, or says that the log ended elsewhere than the archive does. */
  | {
      readonly kind: 'ended_elsewhere';
      readonly origin: string;
      readonly size: number;
      readonly ended: number;
    }
  | { readonly kind: 'not_verified'; readonly finding: DirectoryFinding };

export type OpenedFormer =
  | { readonly ok: true; readonly former: FormerLog; readonly directory: Directory }
  | { readonly ok: false; readonly why: FormerProblem };

type Verified = Extract<DirectoryVerification, { readonly ok: true }>;

/** Whether the archive is of the key that has handed over, and ends where that has signed that its log ended. */
function isEnd(handover: Handover, { verifierKey, size, root }: Verified): boolean {
  return handover.verifierKey === verifierKey && handover.size === size && handover.root === root;
}

/**
 * Verifies the archive of the log that is continued, and goes through it. The checkpoint that is cited must be that
 * log's own; the archive ends before it after a restore, and may have other entries after a fork.
 */
export async function openFormer(
  deps: FoldDeps,
  orgId: OrgId,
  { directory, vkey }: FormerArchive,
  { continues, handover }: Pick<Verified, 'continues' | 'handover'>,
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
  if (handover !== undefined && !isEnd(handover, verified))
    return { ok: false, why: { kind: 'ended_elsewhere', origin, size, ended: handover.size } };
  const texts = entryTexts(openExport(directory), size, (done) => progress?.('replaying', done, size));
  const former = {
    origin,
    size,
    cited: continues.size,
    key: vkey !== undefined ? 'given' : handover === undefined ? 'export' : 'handover',
  } as const;
  return { ok: true, former, directory: foldLog(deps, orgId, texts) };
}
