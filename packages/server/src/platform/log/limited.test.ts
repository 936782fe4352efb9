// Checks that refusals are in the log by their request's id, and that a flood of them is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@countersign/core/errors';
import { limitFailures, limitRefusals } from './limited.ts';
import { createLog } from './log.ts';

test('a refusal is found by its request; of a flood some lines a second are written, and how many were not', () => {
  const lines: string[] = [];
  const log = createLog({ level: 'info', destination: { write: (line: string) => void lines.push(line) } });
  let now = 0;
  const refused = limitRefusals(log, () => now);
  for (let i = 0; i < 500; i += 1) refused(`req_${i}`, { reason: 'unknown_key' }, 'a credential was refused');
  assert.equal(lines.length, 20);
  const lineAt = (i: number): unknown => JSON.parse(lines[i] ?? '');
  assert.partialDeepStrictEqual(lineAt(0), { requestId: 'req_0', reason: 'unknown_key', level: 'info' });
  now = 1_000;
  refused('req_next', { reason: 'none' }, 'a credential was refused');
  assert.equal(lines.length, 21);
  assert.partialDeepStrictEqual(lineAt(20), { requestId: 'req_next', leftOut: 480 });
  refused('req_last', { reason: 'none' }, 'a credential was refused');
  assert.doesNotMatch(lines[21] ?? '', /leftOut/);
});

test('while nothing can be stored one request a second is told of, and what else fails always', () => {
  const lines: string[] = [];
  const log = createLog({ level: 'info', destination: { write: (line: string) => void lines.push(line) } });
  let now = 0;
  const failed = limitFailures(log, () => now);
  const full = new AppError('ledger_unavailable', 'the record could not be written');
  for (let i = 0; i < 100; i += 1) failed(full, `req_${i}`, 'a part failed');
  assert.equal(lines.length, 1);
  for (let i = 0; i < 3; i += 1) failed(new Error('a mistake'), `req_${i}`, 'a part failed');
  assert.equal(lines.length, 4);
  now = 1_000;
  failed(full, 'req_next', 'a part failed');
  const last: unknown = JSON.parse(lines[4] ?? '');
  assert.partialDeepStrictEqual(last, { requestId: 'req_next', leftOut: 99, level: 'error' });
});
