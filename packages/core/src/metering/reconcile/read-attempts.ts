// Owns calls made of a ledger's entries: each intent that let a call go, with the outcome that closes it.

import type { CallIntent, CallOutcome, Entry } from '../../ledger/entry.ts';
import { type Amounts, larger, nothing } from './amounts.ts';
import type { Attempt } from './recorded.ts';

/** A call, the provider that it went to, and the id of the entry that let it go. */
export type SentAttempt = { readonly intent: string; readonly provider: string; readonly attempt: Attempt };

export type AttemptReader = {
  /** The next entry of the log. Gives the call that it closes, if it closes one. */
  readonly take: (entry: Entry) => SentAttempt | undefined;
  /** The calls that no outcome has closed, as of the newest entry. */
  readonly open: () => readonly SentAttempt[];
};

/** What is kept of a call until its outcome: small, since nobody knows how many there are. */
type Open = {
  readonly provider: string;
  readonly endpoint: string;
  readonly sent: string;
  readonly fromMs: number;
  readonly reserved: Amounts;
};

/** The most that a call may have used, as it was reserved: each kind of input could have been all of it. */
function reservedOf({ reserved }: CallIntent): Amounts {
  const input = BigInt(reserved?.in ?? 0);
  return { requests: 1n, input, cached: input, cacheWrite: input, output: BigInt(reserved?.out ?? 0) };
}

type Usage = NonNullable<CallOutcome['usage']>;

/** An entry's buckets do not overlap; a bill's input is all of them. */
function amountsOf(usage: Usage): Amounts {
  const cached = BigInt(usage.cached ?? 0);
  const cacheWrite = BigInt(usage.cache_write ?? 0) + BigInt(usage.cache_write_1h ?? 0);
  return {
    requests: 1n,
    input: BigInt(usage.in) + cached + cacheWrite,
    cached,
    cacheWrite,
    output: BigInt(usage.out) + BigInt(usage.reasoning ?? 0),
  };
}

type Ended = Pick<Attempt, 'kind' | 'used' | 'least' | 'most'>;

/**
 * What is known of a call's usage. An answer of the provider's that we had to estimate was surely a request, if it came
 * to its end. Of a call without usage the provider may have counted a request, and, where nobody saw its end, anything.
 */
function endedOf(open: Open, outcome: CallOutcome | undefined): Ended {
  const usage = outcome?.usage;
  if (outcome === undefined || usage === undefined) {
    const isSeen = outcome !== undefined && outcome.status !== 'unknown';
    const most = isSeen ? { ...nothing, requests: 1n } : open.reserved;
    return { kind: 'untold', used: nothing, least: nothing, most };
  }
  const used = amountsOf(usage);
  if (usage.source === 'provider') return { kind: 'told', used, least: used, most: used };
  const least = { ...nothing, requests: outcome.status === 'ok' ? 1n : 0n };
  return { kind: 'estimated', used, least, most: larger(used, open.reserved) };
}

function sentOf(intent: string, open: Open, outcome: CallOutcome | undefined, toMs: number): SentAttempt {
  const { endpoint, sent, fromMs } = open;
  const { provider, served } = outcome?.target ?? {};
  return {
    intent,
    provider: provider ?? open.provider,
    attempt: { endpoint, sent, served: served ?? sent, fromMs, toMs, ...endedOf(open, outcome) },
  };
}

/** Reads calls out of entries in the order of the log. Refused ones never left; calls of tools are not of a model. */
export function readAttempts(): AttemptReader {
  const calls = new Map<string, Open>();
  let newestMs = 0;
  const opened = (intent: CallIntent, fromMs: number): void => {
    const { provider = '', endpoint = '', served, model = '' } = intent.target;
    if (intent.status !== undefined) return;
    calls.set(intent.id, {
      provider,
      endpoint,
      sent: served ?? model,
      fromMs,
      reserved: reservedOf(intent),
    });
  };
  return {
    take: (entry) => {
      const ms = Date.parse(entry.ts);
      newestMs = Math.max(newestMs, ms);
      if (entry.type !== 'model_call') return undefined;
      if (entry.phase === 'intent') {
        opened(entry, ms);
        return undefined;
      }
      const open = calls.get(entry.intent);
      calls.delete(entry.intent);
      return open === undefined ? undefined : sentOf(entry.intent, open, entry, ms);
    },
    open: () => [...calls].map(([intent, open]) => sentOf(intent, open, undefined, newestMs)),
  };
}
