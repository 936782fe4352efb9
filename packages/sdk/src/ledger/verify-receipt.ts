// Owns the offline check of one receipt: the text of a .tlog-proof file and the record's bytes.

import type { Cosignature } from '@countersign/core/ledger/cosignature';
import { parseTlogProof, type ReceiptProblem, verifyTlogProof } from '@countersign/core/ledger/tlog-proof';
import { nodeVerifying } from './node-verifying.ts';
import { logKeyOf, readCosignatures, readTrusted, type TrustFinding, type TrustOptions } from './trusted.ts';

/** What the receipt is held to: the log's key or a policy that names it, received apart from the receipt. */
export type ReceiptOptions = TrustOptions;

export type ReceiptVerification =
  | {
      readonly ok: true;
      readonly origin: string;
      /** The record's place in the log, from 0, and the size of the tree that the receipt is for. */
      readonly index: number;
      readonly size: number;
      readonly cosignatures: readonly Cosignature[];
      /** Witnesses of the policy that have not cosigned, though enough have. */
      readonly missing: readonly string[];
    }
  | {
      readonly ok: false;
      readonly problem: ReceiptProblem | 'key_unusable' | TrustFinding['kind'];
      readonly detail?: string;
    };

/** What the finding is about, in a word: the witness, those who have cosigned, or what is wrong. */
function detailOf(finding: TrustFinding): string {
  switch (finding.kind) {
    case 'input_unusable':
      return `${finding.input}: ${finding.reason}`;
    case 'quorum_not_met':
      return finding.cosigned.join(', ') || 'none';
    default:
      return finding.witness;
  }
}

function failed(finding: TrustFinding): ReceiptVerification {
  return { ok: false, problem: finding.kind, detail: detailOf(finding) };
}

/** Checks a receipt's text against the record's bytes exactly as they were recorded, with no line feed added. */
export function verifyReceipt(
  receipt: string,
  record: Uint8Array,
  options: ReceiptOptions,
): ReceiptVerification {
  const read = readTrusted(options);
  if (!read.ok) return failed(read.finding);
  const checkpoint = parseTlogProof(receipt)?.checkpoint;
  if (checkpoint === undefined) return { ok: false, problem: 'receipt_malformed' };
  const chosen = logKeyOf(read.trusted, checkpoint);
  if (!chosen.ok) return failed(chosen.finding);
  if (chosen.key === undefined) return { ok: false, problem: 'key_unusable' };
  const verified = verifyTlogProof(nodeVerifying, receipt, record, chosen.key);
  if (!verified.ok) return verified;
  const { note, checkpoint: head } = verified.signed;
  const witnesses = readCosignatures(read.trusted, note);
  if (!witnesses.ok) return failed(witnesses.finding);
  return { ok: true, origin: head.origin, index: verified.index, size: head.size, ...witnesses.witnessed };
}
