// Owns the note in an export by which the key of a former log has handed over to this log: whether it is that.

import { openCheckpoint } from '@countersign/core/ledger/checkpoint';
import { toHex } from '@countersign/core/ledger/encoding';
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from '@countersign/core/ledger/note';
import { openSuccession, type SuccessionProblem } from '@countersign/core/ledger/succession';
import type { ContinuedLog } from './continued-log.ts';
import { nodeVerifying, strictText } from './node-verifying.ts';
import { type ExportDirectory, exportFiles } from './read-export.ts';

/** Where the former log ended, as its own key and this log's have signed. */
export type Handover = {
  readonly origin: string;
  /** The former log's verifier key. */
  readonly verifierKey: string;
  readonly size: number;
  /** Hex. */
  readonly root: string;
};

export type SuccessionFinding = {
  readonly kind: 'succession_refused';
  readonly file: string;
  readonly problem:
    | SuccessionProblem
    /** The former log's key was given, and no note is there. */
    | 'missing'
    /** The key that was given is not the one that has handed over. */
    | 'another_former'
    /** The first entry cites no checkpoint that this key has signed. */
    | 'cites_another';
};

export type ReadSuccession =
  | { readonly ok: true; readonly handover: Handover | undefined }
  | { readonly ok: false; readonly finding: SuccessionFinding };

function refused(problem: SuccessionFinding['problem']): ReadSuccession {
  return { ok: false, finding: { kind: 'succession_refused', file: exportFiles.succession, problem } };
}

const isKey = (text: string, key: VerifierKey): boolean => {
  const given = parseVerifierKey(nodeVerifying, text.trim());
  return given !== undefined && formatVerifierKey(given) === formatVerifierKey(key);
};

/**
 * Holds the note in a verified export to the log's key, to what the log's first entry cites, and to the former key where
 * that was given. An export may have none.
 */
export function readSuccession(
  source: ExportDirectory,
  key: VerifierKey,
  continues: ContinuedLog | undefined,
  formerVkey: string | undefined,
): ReadSuccession {
  const bytes = source.read(exportFiles.succession);
  if (bytes === undefined)
    return formerVkey === undefined ? { ok: true, handover: undefined } : refused('missing');
  const opened = openSuccession(nodeVerifying, strictText(bytes) ?? '', key);
  if (!opened.ok) return refused(opened.problem);
  const { former } = opened.succession;
  if (formerVkey !== undefined && !isKey(formerVkey, former.key)) return refused('another_former');
  if (continues === undefined || !openCheckpoint(nodeVerifying, continues.note, former.key).ok)
    return refused('cites_another');
  const { size, root } = former;
  const verifierKey = formatVerifierKey(former.key);
  return { ok: true, handover: { origin: former.key.name, verifierKey, size, root: toHex(root) } };
}
