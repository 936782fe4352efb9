// Owns the replay of an exported directory on this thread: verified first, then every decision taken again.

import { hash } from 'node:crypto';
import { isId } from '@countersign/core/ids';
import { ownerOfOrigin } from '@countersign/core/ledger/origin';
import type { Progress } from '../ledger/progress.ts';
import { entryTexts } from '../ledger/read-entries.ts';
import { openExport } from '../ledger/read-export.ts';
import {
  type DirectoryFinding,
  type DirectoryVerification,
  type VerifyOptions,
  verifyDirectory,
} from '../ledger/verify-directory.ts';
import { openCedarReader } from './cedar-policy.ts';
import { type FormerLog, type FormerProblem, openFormer } from './former-log.ts';
import { type Replay, replayLog } from './replay-log.ts';

export type ReplayOptions = VerifyOptions & {
  /** The export of the log that this one continues: its end is what the beginning is compared with. */
  readonly former?: string;
};

export type ExportReplay =
  | {
      readonly kind: 'replayed';
      readonly verification: Extract<DirectoryVerification, { readonly ok: true }>;
      readonly replay: Replay;
      /** The archive that the beginning was compared with. */
      readonly former?: FormerLog;
    }
  | { readonly kind: 'not_verified'; readonly finding: DirectoryFinding }
  /** The archive that was given is not that of the log which this one continues. */
  | { readonly kind: 'former_refused'; readonly why: FormerProblem }
  /** The installation's log, or another's: it holds no organization. */
  | { readonly kind: 'no_organization'; readonly origin: string };

/**
 * Replays an export on the stack of this thread. The tree is verified first, so that what is replayed is what was
 * signed. Rejects only when the directory cannot be read.
 */
export async function replayDirectory(
  directory: string,
  options: ReplayOptions = {},
  progress?: Progress,
): Promise<ExportReplay> {
  // The archive is held to the former log's key, and to the note where there is one.
  const { former, formerVkey, ...against } = options;
  const verification = await verifyDirectory(directory, against, progress);
  if (!verification.ok) return { kind: 'not_verified', finding: verification.finding };
  const { origin, size, verifierKey: vkey } = verification;
  const orgId = ownerOfOrigin(origin);
  if (orgId === undefined || !isId('org', orgId)) return { kind: 'no_organization', origin };
  const deps = { readPolicy: openCedarReader(), sha256Hex: (text: string) => hash('sha256', text, 'hex') };
  const archive =
    former === undefined
      ? undefined
      : { directory: former, ...(formerVkey === undefined ? {} : { vkey: formerVkey }) };
  const opened =
    archive === undefined ? undefined : await openFormer(deps, orgId, archive, verification, progress);
  if (opened?.ok === false) return { kind: 'former_refused', why: opened.why };
  const texts = entryTexts(openExport(directory), size, (done) => progress?.('replaying', done, size));
  const replay = replayLog(deps, { orgId, origin, vkey }, texts, opened?.directory);
  return {
    kind: 'replayed',
    verification,
    replay,
    ...(opened === undefined ? {} : { former: opened.former }),
  };
}
