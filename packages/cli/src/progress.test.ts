// Tests the line that says how far long work is, under a clock of its own, and where no such line may be.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { writeExport } from '@countersign/sdk/ledger/write-export';
import { signSample } from '@countersign/sdk/replay/sample-export';
import { logText, makeLog } from '@countersign/sdk/replay/sample-log';
import { serveContract } from './contract-server.ts';
import type { Terminal } from './machine.ts';
import { progressLine } from './progress.ts';
import { type Ran, runCli } from './run-cli.ts';

type Watched = Terminal & {
  /** What was written, one text for each time. */
  readonly written: string[];
  /** Lets time pass. */
  readonly wait: (ms: number) => void;
};

/** A terminal whose clock goes on by `tickMs` whenever it is read. */
function watched({ columns = 80, tickMs = 0 } = {}): Watched {
  const written: string[] = [];
  let nowMs = 5_000;
  return {
    written,
    wait: (ms) => {
      nowMs += ms;
    },
    write: (text) => written.push(text),
    columns: () => columns,
    now: () => {
      nowMs += tickMs;
      return nowMs;
    },
  };
}

/** What is to be seen in the line after all that was written. */
function seen({ written }: Watched): string {
  const line: string[] = [];
  let at = 0;
  for (const character of written.join('')) {
    if (character === '\r') at = 0;
    else {
      line[at] = character;
      at += 1;
    }
  }
  return line.join('').trimEnd();
}

test('work that takes less than a second shows nothing, and leaves nothing to clear', () => {
  const terminal = watched();
  const { tell, clear } = progressLine(terminal);
  for (let done = 0; done <= 900; done += 100) {
    tell('verifying', done, 1_000);
    terminal.wait(99);
  }
  clear();
  assert.deepEqual(terminal.written, []);
});

test('after a second it says what is done, of how much, and about how long is left', () => {
  const terminal = watched();
  const { tell } = progressLine(terminal);
  tell('verifying', 0, 1_000_000);
  terminal.wait(1_000);
  tell('verifying', 250_000, 1_000_000);
  assert.equal(seen(terminal), 'verifying: 250000 of 1000000 entries (25 %), about 3 s left');
  terminal.wait(249_000);
  tell('verifying', 500_000, 1_000_000);
  assert.equal(seen(terminal), 'verifying: 500000 of 1000000 entries (50 %), about 4 min left');
  terminal.wait(36_000_000);
  tell('verifying', 600_000, 1_000_000);
  assert.equal(seen(terminal), 'verifying: 600000 of 1000000 entries (60 %), about 7 h left');
  terminal.wait(1_000);
  tell('verifying', 1_000_000, 1_000_000);
  assert.equal(seen(terminal), 'verifying: 1000000 of 1000000 entries (100 %)');
});

test('a step is timed by itself, also where the same one starts again with another log', () => {
  const terminal = watched();
  const { tell } = progressLine(terminal);
  terminal.wait(10_000);
  tell('verifying', 1_000, 1_000);
  tell('comparing copies', 0, 2_000);
  terminal.wait(500);
  tell('comparing copies', 100, 2_000);
  assert.equal(seen(terminal), 'comparing copies: 100 of 2000 lines (5 %)', 'too early to tell');
  terminal.wait(1_500);
  tell('comparing copies', 400, 2_000);
  assert.equal(seen(terminal), 'comparing copies: 400 of 2000 lines (20 %), about 8 s left');
  tell('comparing copies', 200, 2_000);
  terminal.wait(2_000);
  tell('comparing copies', 1_100, 2_000);
  assert.match(seen(terminal), /^comparing copies: 1100 of 2000 lines \(55 %\), about 2 s left$/);
});

test('it is written a few times a second, however often it is told', () => {
  const terminal = watched();
  const { tell } = progressLine(terminal);
  for (let ms = 0; ms < 10_000; ms += 1) {
    terminal.wait(1);
    tell('replaying', ms, 10_000);
  }
  assert.ok(terminal.written.length > 30 && terminal.written.length <= 37, String(terminal.written.length));
});

test('a shorter line leaves nothing of a longer one, and clearing leaves nothing at all', () => {
  const terminal = watched();
  const { tell, clear } = progressLine(terminal);
  tell('exporting', 0, 1_000_000);
  terminal.wait(2_000);
  tell('exporting', 10_000, 1_000_000);
  terminal.wait(2_000);
  tell('summing', 1, 10);
  assert.equal(seen(terminal), 'summing: 1 of 10 entries (10 %)');
  clear();
  assert.equal(seen(terminal), '');
  assert.ok(terminal.written.at(-1)?.endsWith('\r'), 'what is printed next begins the line');
});

test('a line never breaks, so that it can be written over', () => {
  for (const columns of [0, 1, 20]) {
    const terminal = watched({ columns });
    const { tell } = progressLine(terminal);
    terminal.wait(5_000);
    tell('verifying', 1, 1_000_000);
    assert.equal(seen(terminal), 'verifying: 1 of 1000000'.slice(0, Math.max(0, columns - 1)));
  }
});

const sample = signSample(makeLog().entries.map(logText));

async function setting(t: TestContext) {
  const room = mkdtempSync(join(tmpdir(), 'progress-'));
  const server = await serveContract({
    'ledger.checkpoint': () => ({ checkpoint: sample.checkpoint, verifierKey: sample.vkey }),
    'ledger.tile': () => encodeBundle(sample.entries),
  });
  t.after(async () => {
    await server.close();
    rmSync(room, { recursive: true, force: true });
  });
  const [audit, bill] = [join(room, 'audit'), join(room, 'bill.csv')];
  await writeExport(audit, { ...sample, copies: ['csv'] });
  writeFileSync(bill, 'day,model,requests,input_tokens,output_tokens\n2025-11-22,small-1,2,0,0\n');
  const env = { COUNTERSIGN_URL: server.url, COUNTERSIGN_MANAGEMENT_KEY: 'csk_sample' };
  const run = (terminal: Terminal | undefined, ...words: string[]): Promise<Ran> =>
    runCli(['ledger', ...words], env, terminal);
  return { audit, bill, room, run };
}

test('each long verb says how far it is on the terminal, and its answer is the same as without one', async (t) => {
  const { audit, bill, room, run } = await setting(t);
  const reconcile = ['reconcile', audit, '--provider', 'inside', '--bill', bill];
  const verbs: readonly (readonly [words: readonly string[], steps: readonly string[]])[] = [
    [['export', join(room, 'new')], ['exporting']],
    [
      ['verify', audit],
      ['verifying', 'comparing copies'],
    ],
    [
      ['replay', audit],
      ['verifying', 'comparing copies', 'replaying'],
    ],
    [reconcile, ['verifying', 'comparing copies', 'summing']],
  ];
  for (const [words, steps] of verbs) {
    const terminal = watched({ tickMs: 2_000 });
    const said = await run(terminal, ...words);
    const shown = terminal.written
      .map((text) => text.trim().split(':')[0] ?? '')
      .filter((text) => text !== '');
    assert.deepEqual([...new Set(shown)], steps, words.join(' '));
    assert.equal(seen(terminal), '', words.join(' '));
    if (words[0] === 'export') rmSync(join(room, 'new'), { recursive: true });
    assert.deepEqual(said, await run(undefined, ...words), words.join(' '));
  }
});

test('the line is gone too where the work fails', async (t) => {
  const { audit, run } = await setting(t);
  writeFileSync(join(audit, 'entries.csv'), 'edited\n');
  const terminal = watched({ tickMs: 2_000 });
  const ran = await run(terminal, 'verify', audit);
  assert.match(ran.out, /^NOT VERIFIED: `entries\.csv` differs/);
  assert.ok(terminal.written.length > 1);
  assert.equal(seen(terminal), '');
});

test('an answer for machines comes without a line, on whichever terminal', async (t) => {
  const { audit, bill, room, run } = await setting(t);
  const reconcile = ['reconcile', audit, '--provider', 'inside', '--bill', bill];
  for (const words of [
    ['export', join(room, 'new'), '--json'],
    ['verify', audit, '--json'],
    ['replay', audit, '--json'],
    [...reconcile, '--json'],
    [...reconcile, '--csv'],
    ['copy', audit, '--format', 'csv'],
  ]) {
    const terminal = watched({ tickMs: 2_000 });
    assert.notEqual((await run(terminal, ...words)).out, '', words.join(' '));
    assert.deepEqual(terminal.written, [], words.join(' '));
  }
});
