// Tries to make the runner of `npm test` miscount: crashes, hangs, empty files, skips, and its closing line.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { readRepository } from '../../tools/house/gates.ts';
import { runJob } from '../../tools/testing/process.ts';
import type { Outcome } from '../../tools/testing/reporter.ts';
import { need, requirements } from '../../tools/testing/requirements.ts';
import { runTestFiles } from '../../tools/testing/run-stage.ts';
import { filesOf, stages } from '../../tools/testing/stages.ts';
import { closingLine, countOutcomes, detailLines, stageLine } from '../../tools/testing/summary.ts';

const root = join(import.meta.dirname, '..', '..');
const closing = /^\d+ passed, \d+ failed(, \d+ skipped)?$/;
const run = promisify(execFile);

/** Writes test files into a folder of their own, runs them, and returns what the runner saw. */
async function outcomesOf(
  files: Readonly<Record<string, string>>,
  limits = { timeoutMs: 30_000, testTimeoutMs: 20_000 },
): Promise<readonly Outcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'runner-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(folder, name), `import test from 'node:test';\n${text}`);
    }
    return await runTestFiles('probe', Object.keys(files), limits, { root: folder, logs: folder });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('passes, failures, skips, nested failures and suites are counted as node:test means them', async () => {
  const outcomes = await outcomesOf({
    'a.test.mjs': `
      test('good', () => {});
      test('bad', () => { throw new Error('the reason', { cause: new Error('the cause') }); });
      test('left out', { skip: 'chromium is not installed' }, () => {});
      test('not yet', { todo: true }, () => { throw new Error('x'); });
      test.describe('suite', () => { test('in it', () => {}); });
      test('parent', async (t) => { await t.test('child', () => { throw new Error('deep'); }); });`,
  });
  assert.deepEqual(countOutcomes(outcomes, false), { passed: 2, failed: 3, skipped: 2 });
  assert.deepEqual(countOutcomes(outcomes, true), { passed: 2, failed: 5, skipped: 0 });
  const details = detailLines({ name: 'probe', outcomes, seconds: 1 }, root).join('\n');
  for (const shown of ['the reason', 'the cause', 'deep', 'skipped: left out: chromium is not installed']) {
    assert.ok(details.includes(shown), details);
  }
});

test('a file that does not load fails, with what it said', async () => {
  const outcomes = await outcomesOf({ 'a.test.mjs': "throw new Error('cannot load');" });
  assert.equal(countOutcomes(outcomes, false).failed, 1);
  assert.ok(outcomes[0]?.text?.includes('cannot load') === true);
});

test('a file without a test is a failure', async () => {
  const outcomes = await outcomesOf({ 'a.test.mjs': 'test;' });
  assert.deepEqual(countOutcomes(outcomes, false), { passed: 0, failed: 1, skipped: 0 });
});

test('a process that dies in the middle is a failure, not a shorter run', async () => {
  const outcomes = await outcomesOf({
    'a.test.mjs': "test('one', () => {}); test('two', () => { process.exit(0); }); test('three', () => {});",
  });
  assert.ok(countOutcomes(outcomes, false).failed > 0, JSON.stringify(outcomes));
});

test('a hanging test is ended and counted, and so is a hanging run', async () => {
  const hang = { 'a.test.mjs': "test('waits', () => new Promise((r) => setTimeout(r, 60_000)));" };
  const ended = await outcomesOf(hang, { timeoutMs: 30_000, testTimeoutMs: 500 });
  assert.ok(countOutcomes(ended, false).failed > 0);
  const cut = await outcomesOf(hang, { timeoutMs: 1000, testTimeoutMs: 60_000 });
  assert.ok(
    cut.some((one) => one.kind === 'failed' && one.text?.includes('was ended after 1 s') === true),
    JSON.stringify(cut),
  );
});

test('a file whose tests end but which holds something open fails, and says what', async () => {
  const outcomes = await outcomesOf({
    'a.test.mjs': "test('leaks', () => { setInterval(() => {}, 1000); });",
  });
  assert.equal(countOutcomes(outcomes, false).failed, 1, JSON.stringify(outcomes));
  assert.ok(
    outcomes.some((one) => /still holds open: .*Timeout/.test(one.text ?? '')),
    JSON.stringify(outcomes),
  );
});

test('what a job leaves behind is ended with it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'runner-'));
  const orphan =
    "const { spawn } = require('node:child_process'); const c = spawn('sleep', ['60'], { stdio: 'ignore' }); c.unref(); console.log(c.pid);";
  const logPath = join(folder, 'log');
  const ending = await runJob({
    command: process.execPath,
    args: ['-e', orphan],
    cwd: folder,
    timeoutMs: 10_000,
    logPath,
  });
  assert.deepEqual(ending, { code: 0, cause: undefined });
  const pid = Number(readFileSync(logPath, 'utf8'));
  assert.ok(pid > 0);
  const isGone = (): boolean => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
    } catch {
      return true;
    }
  };
  for (let i = 0; i < 40 && !isGone(); i += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(isGone());
  rmSync(folder, { recursive: true, force: true });
});

test('the last line of a run has the form that is read by tools', async () => {
  const { stdout } = await run(
    process.execPath,
    [join(root, 'tools/test.ts'), 'packages/core/src/ids.test.ts'],
    { cwd: root },
  );
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  assert.match(last, closing);
  assert.ok(Number(last.split(' ')[0]) > 0);
});

test('nothing found is a failure with its own closing line, and an unknown stage is a wrong usage', async () => {
  const call = (name: string) =>
    run(process.execPath, [join(root, 'tools/test.ts'), name], { cwd: root }).then(
      () => ({ code: 0, stdout: '' }),
      (error: unknown) => ({
        code: error instanceof Error && 'code' in error ? error.code : undefined,
        stdout: error instanceof Error && 'stdout' in error ? String(error.stdout) : '',
      }),
    );
  const nothing = await call('no/such/path.test.ts');
  assert.equal(nothing.code, 1);
  assert.equal(nothing.stdout.trimEnd().split('\n').at(-1), '0 passed, 0 failed');
  assert.equal((await call('nonsense')).code, 2);
});

test('the closing line names skips only when there are any', () => {
  assert.equal(closingLine({ passed: 3, failed: 0, skipped: 0 }), '3 passed, 0 failed');
  assert.equal(closingLine({ passed: 3, failed: 1, skipped: 2 }), '3 passed, 1 failed, 2 skipped');
  assert.match(stageLine({ name: 'unit', outcomes: [], seconds: 0 }, false), /no files/);
});

test('every test file of the repository belongs to exactly one stage', () => {
  const inStages = stages.flatMap((stage) => filesOf(stage, root, []));
  for (const { path } of readRepository(root)) {
    if (!/\.test\.(ts|tsx|mjs)$/.test(path)) continue;
    assert.equal(
      inStages.filter((one) => one === path).length,
      1,
      `${path} is run ${inStages.includes(path) ? 'twice' : 'by no stage'}`,
    );
  }
});

test('a need is either a path or a named skip', () => {
  for (const { name, debian } of requirements) {
    const found = need(name);
    assert.ok(found.skip === false ? found.path.length > 0 : found.skip === `${debian} is not installed`);
  }
});
