// Owns the replay of an exported directory on this thread: verified first, then every decision taken again.

import { hash } from 'node:crypto';
import { isId } from '@countersign/core/ids';
import { entryTexts } from '../ledger/read-entries.ts';
import { openExport } from '../ledger/read-export.ts';
import {
  type DirectoryFinding,
  type DirectoryVerification,
  type VerifyOptions,
  verifyDirectory,
} from '../ledger/verify-directory.ts';
import { openCedarReader } from './cedar-policy.ts';
import { type Replay, replayLog } from './replay-log.ts';

export type ExportReplay =
  | {
      readonly kind: 'replayed';
      readonly verification: Extract<DirectoryVerification, { readonly ok: true }>;
      readonly replay: Replay;
    }
  | { readonly kind: 'not_verified'; readonly finding: DirectoryFinding }
  /** The installation's log, or another's: it holds no organization. */
  | { readonly kind: 'no_organization'; readonly origin: string };

/**
 * Replays an export on the stack of this thread. The tree is verified first, so that what is replayed is what was
 * signed. Rejects only when the directory cannot be read.
 */
export async function replayDirectory(directory: string, options: VerifyOptions = {}): Promise<ExportReplay> {
  const verification = await verifyDirectory(directory, options);
  if (!verification.ok) return { kind: 'not_verified', finding: verification.finding };
  const { origin, size, verifierKey: vkey } = verification;
  const orgId = origin.slice(origin.lastIndexOf('/') + 1);
  if (!isId('org', orgId)) return { kind: 'no_organization', origin };
  const deps = { readPolicy: openCedarReader(), sha256Hex: (text: string) => hash('sha256', text, 'hex') };
  const replay = replayLog(deps, { orgId, origin, vkey }, entryTexts(openExport(directory), size));
  return { kind: 'replayed', verification, replay };
}
