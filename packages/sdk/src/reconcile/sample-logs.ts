// Owns logs of one organization that follow each other or part, for tests of their comparison with a bill.

import type { Draft } from '../replay/sample-changes.ts';
import { origin } from '../replay/sample-changes.ts';
import { sampleVkey } from '../replay/sample-key.ts';
import { logText, makeLog } from '../replay/sample-log.ts';

const log = makeLog();
const usage = {
  in: 12,
  out: 34,
  cost_nanos: 1,
  currency: 'USD',
  price_version: 'sample',
  source: 'provider',
};

/** Two calls to `inside`, model `small-1`, 12 tokens in and 34 out each, and one to `vendor`, early on 2025-11-22. */
const entries: readonly Draft[] = log.entries.map((entry) =>
  entry.phase === 'outcome' ? { ...entry, usage } : entry,
);

/** The same entry as another one: another id, and of an outcome another intent. */
function renewed(entry: Draft): Draft {
  const other = (id: unknown): string => String(id).replace(/^.{8}/, '019aa8de');
  return {
    ...entry,
    id: other(entry.id),
    ...(entry.intent === undefined ? {} : { intent: other(entry.intent) }),
  };
}

export const sampleLogs = {
  origin,
  next: `${origin}/2`,
  /** The whole log. */
  texts: entries.map(logText),
  /** A log with as many calls of its own, which cites this checkpoint of the one before it. */
  continuing(previous: string): readonly string[] {
    const name = `${origin}/2`;
    const opened = { origin: name, vkey: sampleVkey(name), previous };
    return entries.map((entry, i) =>
      logText({ ...renewed(entry), log: name, ...(i === 0 ? { opened } : {}) }),
    );
  },
  /**
   * The log as it goes on from a backup within its second call: an outcome that is unknown, for all that was reserved,
   * and another call; then `more` entries.
   */
  restored(more: number): readonly string[] {
    const [intent = {}, outcome = {}] = entries.slice(14, 16);
    const guessed = { ...usage, in: 900, out: 900, source: 'estimated' };
    const orphaned = { ...renewed(outcome), intent: intent.id, status: 'unknown', usage: guessed };
    const rest = [...entries.slice(16), ...entries.slice(1, 8)].slice(0, more);
    return [...entries.slice(0, 15), orphaned, renewed(intent), renewed(outcome), ...rest.map(renewed)].map(
      logText,
    );
  },
} as const;
