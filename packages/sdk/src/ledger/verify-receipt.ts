// Owns the offline check of one receipt: a .tlog-proof file and the record's bytes.

import { type Cosignature, checkCosignature } from '@countersign/core/ledger/cosignature';
import { parseVerifierKey, signatureTypes } from '@countersign/core/ledger/note';
import { type ReceiptProblem, verifyTlogProof } from '@countersign/core/ledger/tlog-proof';
import { nodeVerifying, strictText } from './node-verifying.ts';
import { readPlainFile } from './read-export.ts';

export type ReceiptOptions = {
  /** The log's verifier key, received apart from the receipt. */
  readonly vkey: string;
  /** Verifier keys (type 4) of witnesses whose cosignatures count. */
  readonly witnesses?: readonly string[];
};

export type ReceiptVerification =
  | {
      readonly ok: true;
      readonly origin: string;
      /** The record's place in the log, from 0, and the size of the tree that the receipt is for. */
      readonly index: number;
      readonly size: number;
      readonly cosignatures: readonly Cosignature[];
    }
  | { readonly ok: false; readonly problem: ReceiptProblem | 'key_unusable' | 'cosignature_invalid' };

/** Checks a receipt's text against the record's bytes exactly as they were recorded, with no line feed added. */
export function verifyReceipt(
  receipt: string,
  record: Uint8Array,
  options: ReceiptOptions,
): ReceiptVerification {
  const key = parseVerifierKey(nodeVerifying, options.vkey.trim());
  if (key?.type !== signatureTypes.ed25519) return { ok: false, problem: 'key_unusable' };
  const verified = verifyTlogProof(nodeVerifying, receipt, record, key);
  if (!verified.ok) return verified;
  const cosignatures: Cosignature[] = [];
  for (const text of options.witnesses ?? []) {
    const witness = parseVerifierKey(nodeVerifying, text.trim());
    if (witness?.type !== signatureTypes.cosignature) return { ok: false, problem: 'key_unusable' };
    const check = checkCosignature(nodeVerifying, verified.signed.note, witness);
    if (check.state === 'invalid') return { ok: false, problem: 'cosignature_invalid' };
    if (check.state === 'valid') cosignatures.push(check.cosignature);
  }
  const { origin, size } = verified.signed.checkpoint;
  return { ok: true, origin, index: verified.index, size, cosignatures };
}

/**
 * The same from two files: `<name>.tlog-proof` and the record's bytes. Throws `UnexpectedFileError` if one is no file;
 * one that is missing is empty.
 */
export function verifyReceiptFiles(
  receiptFile: string,
  recordFile: string,
  options: ReceiptOptions,
): ReceiptVerification {
  const receipt = strictText(readPlainFile(receiptFile) ?? new Uint8Array(0));
  if (receipt === undefined) return { ok: false, problem: 'receipt_malformed' };
  return verifyReceipt(receipt, readPlainFile(recordFile) ?? new Uint8Array(0), options);
}
