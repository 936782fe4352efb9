// Owns when the logs in the store are checked, the alert that a finding leaves in its log, and who hears of it.

import { setTimeout as sleep } from 'node:timers/promises';
import { encodeBundle } from '@countersign/core/ledger/tile';
import type { Kysely } from 'kysely';
import { createLogCheck, type LogChecked } from '../jobs/check-logs.ts';
import type { Committer } from '../services/ledger/committer.ts';
import { sha256, utf8, verifyEd25519 } from '../services/ledger/crypto.ts';
import { readHead } from '../stores/heads.ts';
import type { Tables } from '../stores/schema.ts';
import { type AlertDeps, alertEntry, type LogFinding } from './log-alert.ts';

/** What a pass over all logs has found; `isWhole` is false where it could not be ended. */
export type LogsChecked = {
  readonly isWhole: boolean;
  readonly entries: number;
  readonly findings: readonly LogFinding[];
};

export type LogChecksDeps = AlertDeps & {
  readonly db: Kysely<Tables>;
  readonly committer: Committer;
  /** From the end of a pass to the next, in milliseconds. */
  readonly logCheckMs: number;
  readonly onLogsChecked: (checked: LogsChecked) => void;
  readonly onError: (error: unknown, doing: string) => void;
};

/** When the first pass begins at the latest, in milliseconds: not while a start loads what it needs. */
const firstMs = 5 * 60 * 1_000;

/** Ends early, and without a word, when `signal` does. */
async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => {});
}

/** Checks every log every so often, until it is stopped. What it finds is recorded once in a run of the process. */
export function startLogChecks(deps: LogChecksDeps): { readonly stop: () => Promise<void> } {
  const { db, committer, logCheckMs, onLogsChecked, onError } = deps;
  const check = createLogCheck({ db, sha256, utf8, verifyEd25519, rest, clock: () => performance.now() });
  const stopping = new AbortController();
  const { signal } = stopping;
  const recorded = new Set<string>();

  async function record({ orgId }: LogChecked, found: LogFinding): Promise<void> {
    // A log that was set back ends elsewhere in each pass: the alert itself lets it grow.
    const place = found.finding === 'rolled_back' ? '' : found.index;
    const name = `${orgId} ${found.origin} ${found.finding} ${place}`;
    const head = await readHead(db, orgId);
    if (recorded.has(name) || head === undefined) return;
    const bundle = encodeBundle([alertEntry(deps, head, found)]);
    await committer.commit([{ orgId, bundle, versions: [-1], sidecars: [], objects: [] }]);
    recorded.add(name);
  }

  async function pass(): Promise<void> {
    const findings: LogFinding[] = [];
    let entries = 0;
    const onChecked = async (checked: LogChecked): Promise<void> => {
      const { finding, origin, size } = checked;
      entries += size;
      if (finding === undefined) return;
      const found = {
        origin,
        finding: finding.kind,
        index: 'index' in finding ? finding.index : undefined,
      };
      findings.push(found);
      // A log that was edited may take no entry; the others are checked all the same.
      await record(checked, found).catch((error) => onError(error, 'the alert of an altered log'));
    };
    try {
      await check.run(signal, onChecked);
      onLogsChecked({ isWhole: true, entries, findings });
    } catch (error) {
      if (signal.aborted) return;
      onLogsChecked({ isWhole: false, entries, findings });
      onError(error, 'the check of the logs');
    }
  }

  async function run(): Promise<void> {
    await rest(Math.min(firstMs, logCheckMs), signal);
    while (!signal.aborted) {
      await pass();
      await rest(logCheckMs, signal);
    }
  }
  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
