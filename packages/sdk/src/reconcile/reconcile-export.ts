// Owns the comparison of an export with a provider's bill: verified first, then its calls summed in one pass.

import { decodeEntry } from '@countersign/core/ledger/entry';
import { BillError } from '@countersign/core/metering/reconcile/bill';
import {
  type Comparison,
  compareBill,
  type Tolerance,
} from '@countersign/core/metering/reconcile/compare-bill';
import type { Bill } from '@countersign/core/metering/reconcile/gather-bill';
import { readAttempts, type SentAttempt } from '@countersign/core/metering/reconcile/read-attempts';
import { type AttemptSums, sumAttempts } from '@countersign/core/metering/reconcile/sum-attempts';
import type { Progress } from '../ledger/progress.ts';
import { entryTexts } from '../ledger/read-entries.ts';
import { openExport } from '../ledger/read-export.ts';
import {
  type DirectoryFinding,
  type DirectoryVerification,
  type VerifyOptions,
  verifyDirectory,
} from '../ledger/verify-directory.ts';

export type ReconcileOptions = {
  /** What the export is held against. */
  readonly against: VerifyOptions;
  readonly bill: Bill;
  /** Whose calls are compared, by the provider's name in the records; needed where there are several. */
  readonly provider?: string | undefined;
  /** The names of models on either side, and the name under which they are compared. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly tolerance: Tolerance;
};

export type Reconciliation = {
  readonly verification: Extract<DirectoryVerification, { readonly ok: true }>;
  readonly provider: string;
  readonly comparison: Comparison;
  /** The times of the log's first and newest entry. */
  readonly recordedFrom: string;
  readonly recordedTo: string;
  readonly bill: Bill;
  /** Calls to the provider that are not compared: before or after the bill's time, and of endpoints it is not about. */
  readonly outside: number;
  readonly beside: ReadonlyMap<string, number>;
  /** Entries that cannot be read, and outcomes that close no call. */
  readonly unreadable: number;
};

export type ExportReconciliation =
  | ({ readonly kind: 'compared' } & Reconciliation)
  | { readonly kind: 'not_verified'; readonly finding: DirectoryFinding };

type Summed = {
  readonly byProvider: ReadonlyMap<string, AttemptSums>;
  readonly from: string;
  readonly to: string;
  readonly unreadable: number;
};

function sumEntries(texts: Iterable<string>, newSums: () => AttemptSums): Summed {
  const byProvider = new Map<string, AttemptSums>();
  const reader = readAttempts();
  const add = ({ provider, attempt }: SentAttempt): void => {
    const sums = byProvider.get(provider) ?? newSums();
    byProvider.set(provider, sums);
    sums.add(attempt);
  };
  let [from, to, unreadable] = ['', '', 0];
  for (const text of texts) {
    const decoded = decodeEntry(text);
    if (!decoded.ok) {
      unreadable += 1;
      continue;
    }
    const { entry } = decoded;
    if (from === '') from = entry.ts;
    if (entry.ts > to) to = entry.ts;
    const sent = reader.take(entry);
    if (sent !== undefined) add(sent);
    else if (entry.type === 'model_call' && entry.phase === 'outcome') unreadable += 1;
  }
  for (const sent of reader.open()) add(sent);
  return { byProvider, from, to, unreadable };
}

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

/**
 * Compares the calls of an export with a bill. The tree is verified first, so that what is summed is what was signed.
 * Rejects with a BillError where the bill and the records cannot be compared, or when the directory cannot be read.
 */
export async function reconcileExport(
  directory: string,
  { against, bill, provider: asked, aliases, tolerance }: ReconcileOptions,
  progress?: Progress,
): Promise<ExportReconciliation> {
  const verification = await verifyDirectory(directory, against, progress);
  if (!verification.ok) return { kind: 'not_verified', finding: verification.finding };
  const nameOf = (model: string): string => aliases.get(model) ?? model;
  const { size } = verification;
  const texts = entryTexts(openExport(directory), size, (done) => progress?.('summing', done, size));
  const newSums = (): AttemptSums => sumAttempts(bill.spans, nameOf);
  const { byProvider, from, to, unreadable } = sumEntries(texts, newSums);
  const provider = providerOf(byProvider, asked);
  const sums = (byProvider.get(provider) ?? newSums()).sums();
  return {
    kind: 'compared',
    verification,
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
