// Owns the comparison of exports with a provider's bill: each verified first, then their calls summed.

import { partsOfOrigin } from '@countersign/core/ledger/origin';
import { BillError } from '@countersign/core/metering/reconcile/bill';
import {
  type Comparison,
  compareBill,
  type Tolerance,
} from '@countersign/core/metering/reconcile/compare-bill';
import type { Bill } from '@countersign/core/metering/reconcile/gather-bill';
import { type AttemptSums, sumAttempts } from '@countersign/core/metering/reconcile/sum-attempts';
import type { Progress } from '../ledger/progress.ts';
import { openExport } from '../ledger/read-export.ts';
import {
  type DirectoryFinding,
  type DirectoryVerification,
  type VerifyOptions,
  verifyDirectory,
} from '../ledger/verify-directory.ts';
import { sumLogs } from './sum-logs.ts';

/** An export, and what it is held against: the key and the checkpoint of its own log. */
export type AskedFolder = { readonly directory: string; readonly against: VerifyOptions };

export type ReconcileOptions = {
  readonly bill: Bill;
  /** Whose calls are compared, by the provider's name in the records; needed where there are several. */
  readonly provider?: string | undefined;
  /** The names of models on either side, and the name under which they are compared. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly tolerance: Tolerance;
};

type Verified = Extract<DirectoryVerification, { readonly ok: true }>;

/** One of the exports that were compared together. */
export type ReconciledLog = {
  readonly directory: string;
  readonly verification: Verified;
  /** How many of its first entries are counted once for it and for another export of its log. */
  readonly shared?: { readonly size: number; readonly with: string };
};

export type Reconciliation = {
  /** In the order in which the owner's logs follow each other. */
  readonly logs: readonly ReconciledLog[];
  readonly provider: string;
  readonly comparison: Comparison;
  /** The times of the first and the newest entry of all. */
  readonly recordedFrom: string;
  readonly recordedTo: string;
  readonly bill: Bill;
  /** Calls to the provider that are not compared: before or after the bill's time, and of endpoints it is not about. */
  readonly outside: number;
  readonly beside: ReadonlyMap<string, number>;
  /** Entries that cannot be read, and outcomes that close no call. */
  readonly unreadable: number;
};

export type FolderOrigin = { readonly directory: string; readonly origin: string };

export type ExportReconciliation =
  | ({ readonly kind: 'compared' } & Reconciliation)
  | { readonly kind: 'not_verified'; readonly directory: string; readonly finding: DirectoryFinding }
  /** The logs are of several owners. */
  | { readonly kind: 'several_owners'; readonly folders: readonly [FolderOrigin, FolderOrigin] };

/** Which provider of the records is meant. Throws a BillError where that is not clear. */
function providerOf(byProvider: ReadonlyMap<string, unknown>, asked: string | undefined): string {
  const names = [...byProvider.keys()].toSorted();
  const list = names.map((name) => `\`${name}\``).join(', ');
  if (asked !== undefined) {
    if (byProvider.has(asked)) return asked;
    if (names.length === 0) return asked;
    throw new BillError(`the records have no call to the provider \`${asked}\`: they have ${list}`);
  }
  const [only] = names;
  if (only === undefined)
    throw new BillError(
      'the records have no call to any provider: name the one whose bill it is with `--provider`',
    );
  if (names.length === 1) return only;
  throw new BillError(`the records have calls to ${list}: say whose bill it is with \`--provider\``);
}

/** Two folders whose logs are not of one owner, if there are such. */
export function strangersIn(
  folders: readonly FolderOrigin[],
): readonly [FolderOrigin, FolderOrigin] | undefined {
  const [one, ...others] = folders;
  const other = others.find(
    ({ origin }) => partsOfOrigin(origin).first !== partsOfOrigin(one?.origin ?? '').first,
  );
  return one === undefined || other === undefined ? undefined : [one, other];
}

/** Each folder verified, in the order of the owner's logs, the larger of two exports of one log first. */
async function verifiedLogs(
  folders: readonly AskedFolder[],
  progress: Progress | undefined,
): Promise<
  | readonly Pick<ReconciledLog, 'directory' | 'verification'>[]
  | Exclude<ExportReconciliation, { kind: 'compared' }>
> {
  const logs: Pick<ReconciledLog, 'directory' | 'verification'>[] = [];
  for (const { directory, against } of folders) {
    const verification = await verifyDirectory(directory, against, progress);
    if (!verification.ok) return { kind: 'not_verified', directory, finding: verification.finding };
    logs.push({ directory, verification });
  }
  const numberOf = ({ verification }: (typeof logs)[number]): number =>
    partsOfOrigin(verification.origin).number;
  return logs.toSorted((a, b) => numberOf(a) - numberOf(b) || b.verification.size - a.verification.size);
}

/**
 * Compares the calls of exports with a bill: one export, or those of an owner's logs that follow each other. Each tree is
 * verified first, so that what is summed is what was signed; a call that two exports of one log have counts once.
 * Rejects with a BillError where the bill and the records cannot be compared, or when a directory cannot be read.
 */
export async function reconcileExports(
  folders: readonly AskedFolder[],
  { bill, provider: asked, aliases, tolerance }: ReconcileOptions,
  progress?: Progress,
): Promise<ExportReconciliation> {
  const verified = await verifiedLogs(folders, progress);
  if ('kind' in verified) return verified;
  const strangers = strangersIn(
    verified.map(({ directory, verification: { origin } }) => ({ directory, origin })),
  );
  if (strangers !== undefined) return { kind: 'several_owners', folders: strangers };
  const nameOf = (model: string): string => aliases.get(model) ?? model;
  const newSums = (): AttemptSums => sumAttempts(bill.spans, nameOf);
  const summed = sumLogs(
    verified.map(({ directory, verification: { origin, size } }) => ({
      source: openExport(directory),
      origin,
      size,
    })),
    newSums,
    progress,
  );
  const { byProvider, from, to, unreadable } = summed;
  const provider = providerOf(byProvider, asked);
  const sums = (byProvider.get(provider) ?? newSums()).sums();
  const logs = verified.map((log, i): ReconciledLog => {
    const shared = summed.shared[i];
    const other = shared === undefined ? undefined : verified[shared.with];
    return shared === undefined || other === undefined
      ? log
      : { ...log, shared: { size: shared.size, with: other.directory } };
  });
  return {
    kind: 'compared',
    logs,
    provider,
    comparison: compareBill(bill, sums, nameOf, tolerance),
    recordedFrom: from,
    recordedTo: to,
    bill,
    outside: sums.outside,
    beside: sums.beside,
    unreadable,
  };
}
