// Owns telling operators what the checks of the logs have found: metrics, and a line of the log for each finding.

import type { Log } from '../platform/log/log.ts';
import type { Registry } from '../platform/metrics/registry.ts';
import type { LogFinding } from './log-alert.ts';
import type { LogsChecked } from './log-checks.ts';

const whatToDo =
  'a log is not what was signed: somebody changed the store, or its disk failed. Keep the store as it is, and compare its log with an earlier export (docs/guides/operate.md)';

const whyRefused =
  'the head of a log in the store is not what this server committed last, or not what the log has signed: somebody changed the store, or put an older state of it back. Nothing is signed, and calls are refused. Keep the store as it is (docs/guides/operate.md)';

export type LogReport = {
  readonly onLogsChecked: (checked: LogsChecked) => void;
  readonly onAlteredHeads: (found: readonly LogFinding[]) => void;
};

/** Registers the metrics of the checks, and returns who hears of each, and of the heads that were refused. */
export function reportLogChecks(metrics: Registry, log: Log): LogReport {
  const checks = metrics.counter({
    name: 'countersign_ledger_checks_total',
    help: 'checks of all logs in the store against what was signed',
    labels: ['result'],
  });
  const altered = metrics
    .gauge({
      name: 'countersign_ledger_altered_logs',
      help: 'logs that the last check found altered, or that take no entry because their head was changed',
    })
    .with({});
  const checkedAt = metrics
    .gauge({
      name: 'countersign_ledger_checked_timestamp_seconds',
      help: 'when a check last went over all logs; 0: not since the start',
    })
    .with({});
  let checked: readonly LogFinding[] = [];
  let refused: readonly LogFinding[] = [];
  const count = (): void => altered.set(new Set([...checked, ...refused].map(({ origin }) => origin)).size);

  return {
    onLogsChecked({ isWhole, entries, findings }) {
      checks.with({ result: findings.length > 0 ? 'altered' : isWhole ? 'verified' : 'failed' }).inc();
      for (const { origin, finding, index } of findings)
        log.error({ origin, finding, ...(index === undefined ? {} : { index }) }, whatToDo);
      if (findings.length > 0 || isWhole) checked = findings;
      count();
      if (!isWhole) return;
      checkedAt.set(Math.floor(Date.now() / 1_000));
      log.debug({ entries, findings: findings.length }, 'checked every log in the store');
    },
    onAlteredHeads(found) {
      const isNew = ({ origin }: LogFinding): boolean => refused.every((known) => known.origin !== origin);
      for (const { origin, finding } of found.filter(isNew)) log.error({ origin, finding }, whyRefused);
      refused = found;
      count();
    },
  };
}
