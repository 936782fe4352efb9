// Owns the entry that says of a log that it is not, in the store, what was signed.

import type { EntryId } from '@countersign/core/ids';
import { encodeEntry } from '@countersign/core/ledger/entry';
import type { Finding } from '@countersign/core/ledger/verify-log';
import type { Head } from '../stores/heads.ts';

/**
 * A finding, as the threads tell of it: which log, the verifier's word or `head_altered`, and the first entry that it
 * concerns. `head_altered`: the head is not the one that this process has committed last, or not what its log has signed.
 */
export type LogFinding = {
  readonly origin: string;
  readonly finding: Finding['kind'] | 'head_altered';
  readonly index: number | undefined;
};

export type AlertDeps = {
  readonly newEntryId: () => EntryId;
  readonly now: () => number;
  readonly node: string;
  readonly boot: string;
};

/** The entry, for the log that ends at `head`: the one that it is about, one that continues that, or the installation's. */
export function alertEntry(
  deps: AlertDeps,
  head: Pick<Head, 'origin' | 'version'>,
  { origin, finding, index }: LogFinding,
): Uint8Array {
  const text = encodeEntry({
    v: 1,
    id: deps.newEntryId(),
    log: head.origin,
    ts: new Date(deps.now()).toISOString(),
    node: deps.node,
    boot: deps.boot,
    sv: head.version,
    type: 'alert',
    actor: { id: 'system', kind: 'system' },
    alert: { kind: 'log_altered', origin, finding, ...(index === undefined ? {} : { index }) },
  });
  return Buffer.from(text, 'utf8');
}
