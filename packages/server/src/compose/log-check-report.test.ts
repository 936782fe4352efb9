// Checks what operators are told of altered logs: each finding at `error`, and metrics that can be watched.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../platform/log/log.ts';
import { createRegistry } from '../platform/metrics/registry.ts';
import { reportLogChecks } from './log-check-report.ts';

test('a finding is told at each pass and counted until a pass finds nothing', () => {
  const lines: string[] = [];
  const metrics = createRegistry();
  const log = createLog({
    level: 'info',
    destination: { write: (line: string) => void lines.push(line) },
  });
  const { onLogsChecked: report, onAlteredHeads } = reportLogChecks(metrics, log);
  const found = { origin: 'gateway.example/org_1', finding: 'entry_altered', index: 17 } as const;
  assert.match(metrics.render(), /^countersign_ledger_checked_timestamp_seconds 0$/m);
  report({ isWhole: true, entries: 20, findings: [found] });
  assert.match(metrics.render(), /^countersign_ledger_altered_logs 1$/m);
  assert.match(lines[0] ?? '', /"level":"error".*"entry_altered".*"index":17.*is not what was signed/);
  report({ isWhole: false, entries: 0, findings: [] });
  assert.match(metrics.render(), /^countersign_ledger_altered_logs 1$/m, 'a pass that failed finds nothing');
  report({
    isWhole: true,
    entries: 20,
    findings: [{ origin: found.origin, finding: 'root_differs', index: undefined }],
  });
  assert.doesNotMatch(lines[1] ?? '', /index|undefined/);
  report({ isWhole: true, entries: 20, findings: [] });
  const text = metrics.render();
  assert.match(text, /^countersign_ledger_altered_logs 0$/m);
  assert.match(text, /^countersign_ledger_checked_timestamp_seconds [1-9]/m);
  for (const counted of ['altered"} 2', 'failed"} 1', 'verified"} 1'])
    assert.ok(text.includes(`countersign_ledger_checks_total{result="${counted}\n`), counted);
  assert.equal(lines.length, 2);
  const head = { origin: found.origin, finding: 'head_altered', index: undefined } as const;
  onAlteredHeads([head]);
  onAlteredHeads([head]);
  assert.equal(lines.length, 3, 'it is told once');
  assert.match(lines[2] ?? '', /"level":"error".*"head_altered".*Nothing is signed/);
  report({ isWhole: true, entries: 20, findings: [] });
  assert.match(metrics.render(), /^countersign_ledger_altered_logs 1$/m, 'a pass does not end it');
  report({ isWhole: true, entries: 20, findings: [found] });
  assert.match(metrics.render(), /^countersign_ledger_altered_logs 1$/m, 'it is one log');
  report({ isWhole: true, entries: 20, findings: [] });
  onAlteredHeads([]);
  assert.match(metrics.render(), /^countersign_ledger_altered_logs 0$/m);
});
