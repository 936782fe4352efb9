// Owns the count of refused credentials: one aggregate entry a second, so that a flood cannot fill the log.

import type { EntryId } from '@countersign/core/ids';
import { canonicalJson } from '@countersign/core/ledger/canonical';

export type Refusals = {
  readonly note: (address: string, reason: string) => void;
  /** Records what was counted and not yet recorded; does nothing if that is nothing. Rejects if it cannot. */
  readonly flush: () => Promise<void>;
};

export type RefusalsDeps = {
  /** Appends to the installation's log. */
  readonly record: (text: string) => Promise<unknown>;
  /** A commitment to an address: the same address gives the same text, which opens nothing. */
  readonly commit: (address: string) => string;
  readonly newEntryId: () => EntryId;
  readonly now: () => number;
  readonly origin: string;
  readonly node: string;
  readonly boot: string;
};

/** Pairs of source and reason that one entry lists; the total counts those beyond it too. */
const maxListed = 50;

/** Counts in memory; `flush` is called once a second by the composition root. */
export function createRefusals(deps: RefusalsDeps): Refusals {
  let counts = new Map<string, number>();
  let total = 0;
  let since = deps.now();

  function entryText(from: number, to: number, all: number, listed: ReadonlyMap<string, number>): string {
    const sources = [...listed].map(([pair, count]) => {
      const cut = pair.indexOf(' ');
      return { source: deps.commit(pair.slice(cut + 1)), reason: pair.slice(0, cut), count };
    });
    return canonicalJson({
      v: 1,
      id: deps.newEntryId(),
      log: deps.origin,
      ts: new Date(to).toISOString(),
      node: deps.node,
      boot: deps.boot,
      sv: 0,
      type: 'refused_credentials',
      actor: { id: 'anonymous', kind: 'anonymous' },
      refused: { from: new Date(from).toISOString(), to: new Date(to).toISOString(), total: all, sources },
    });
  }

  function add(pair: string, count: number): void {
    const known = counts.get(pair);
    if (known !== undefined) counts.set(pair, known + count);
    else if (counts.size < maxListed) counts.set(pair, count);
  }

  return {
    note(address, reason) {
      if (total === 0) since = deps.now();
      total += 1;
      add(`${reason} ${address}`, 1);
    },
    async flush() {
      if (total === 0) return;
      const former = { counts, total, since };
      const text = entryText(since, deps.now(), total, counts);
      counts = new Map();
      total = 0;
      try {
        await deps.record(text);
      } catch (error) {
        // What the log could not take now is in the next entry.
        const later = counts;
        counts = former.counts;
        total += former.total;
        since = former.since;
        for (const [pair, count] of later) add(pair, count);
        throw error;
      }
    },
  };
}
