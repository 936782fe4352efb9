// Claims about `npm run demo`: it ends by itself within a minute, shows evidence for each step, and leaves nothing behind.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const entry = join(import.meta.dirname, '..', '..', 'tools', 'run.mjs');
const limitMs = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'demo-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

type Shown = {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly ms: number;
};

/** Runs the demo as npm does, with `temporary` as the machine's temporary folder. */
function runDemo(temporary: string, onText: (text: string, kill: () => void) => void = () => {}) {
  const started = performance.now();
  const child = spawn(process.execPath, [entry, 'demo'], {
    env: { ...process.env, TMPDIR: temporary, TEMP: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 2 * limitMs,
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    onText(out, () => child.kill('SIGTERM'));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise<Shown>((resolve) => {
    child.once('close', (code) => resolve({ code, out, err, ms: performance.now() - started }));
  });
}

const record = /record [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/** What each step must show, in order. */
const steps: readonly { readonly name: string; readonly shows: readonly RegExp[] }[] = [
  { name: 'the house', shows: [/organization org_/, /application svc_/, /marked as external/] },
  {
    name: 'two people',
    shows: [record, /Bob \(user usr_/, /Carol \(user usr_/, /trusted issuer's token/, /proof: verified/],
  },
  { name: 'nobody', shows: [/401 authentication_failed/] },
  { name: 'controlled information', shows: [record, /403 policy_denied/, /sensitive-prompts-stay-inside/] },
  { name: 'a budget', shows: [record, /429 budget_exceeded: budget `bob-today`/] },
  { name: 'a revocation', shows: [record, /the stream ended \d+ ms after/, /it ended cut/] },
  { name: 'who', shows: [/countersign who/, /Carol \(user usr_/, /proof: verified/] },
  {
    name: 'offline verification',
    shows: [
      /answered\s+verified: \d+ entries/,
      /not\s+protected\s+against\s+the\s+operator/,
      /NOT VERIFIED: entry \d+/,
    ],
  },
  {
    name: 'replay',
    shows: [/replayed: \d+ decisions taken again, no difference/, /✓ \d+ decisions, 0 differences/],
  },
];

test('the demo ends with 0 within a minute, and every step shows its evidence', async () => {
  const { code, out, err, ms } = await runDemo(folder);
  assert.equal(code, 0, `${out}\n${err}`);
  assert.ok(ms < limitMs, `took ${Math.round(ms)} ms`);
  const told = out.split(/^(?=\d+\. )/m).slice(1);
  assert.equal(told.length, steps.length, out);
  for (const [i, { name, shows }] of steps.entries()) {
    for (const shown of shows) assert.match(told[i] ?? '', shown, name);
    assert.match(told[i] ?? '', /✓/, name);
  }
  assert.doesNotMatch(out, /✗/);
  assert.ok(!out.includes('\u001b'), 'no colours where there is no terminal');
  assert.ok(!/csk_|eyJ/.test(out), 'no key and no token is shown');
  assert.deepEqual(readdirSync(folder), [], 'its folder is removed');
});

test('a demo that is stopped in the middle leaves nothing behind', async () => {
  const { code, out, err } = await runDemo(folder, (text, kill) => {
    if (/^2\. /m.test(text)) kill();
  });
  assert.equal(code, 143, `${out}\n${err}`);
  assert.deepEqual(readdirSync(folder), []);
});

test('a demo that cannot do what it claims does not end with 0', async () => {
  const { code, err } = await runDemo(join(folder, 'there-is-no-such-folder'));
  assert.equal(code, 1);
  assert.match(err, /the demo broke off/);
});
