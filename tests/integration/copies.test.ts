// Claims about copies of a real log: every line is a real entry's, and the nightly job of the guide takes each once.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runCli } from '@countersign/cli/run-cli';
import { copyFormats, copyForms } from '@countersign/core/ledger/copies/formats';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { at, textAt } from '../support/server.ts';

let running: TestGateway;
let room: string;
before(async () => {
  room = mkdtempSync(join(tmpdir(), 'copies-'));
  running = await startGateway();
});
after(async () => {
  await running.stop();
  rmSync(room, { recursive: true, force: true });
});

function environment(): Record<string, string> {
  return { COUNTERSIGN_URL: running.url, COUNTERSIGN_KEY: running.managementKey };
}

/** A call that passes, one that nobody permits, and a change. */
async function somethingHappens(name: string): Promise<void> {
  assert.equal((await running.call({ key: running.modelsKey })).status, 200);
  assert.equal((await running.call({ key: running.modelsKey, path: '/v1/none', body: {} })).status, 404);
  const body = { model: 'none', messages: [{ role: 'user', content: 'hello' }] };
  assert.ok((await running.call({ key: running.modelsKey, body })).status >= 400);
  await running.person(name);
}

function lines(text: string): readonly string[] {
  return text.split('\n').slice(0, -1);
}

test('a real log is exported with every copy, verified, and copied to the same lines again', async () => {
  await somethingHappens('first');
  const directory = join(room, 'audit');
  const asked = copyFormats.flatMap((format) => ['--copy', format]);
  const written = await runCli(['ledger', 'export', directory, ...asked], environment());
  assert.equal(written.code, 0, written.err);
  const verified = await runCli(['ledger', 'verify', directory]);
  assert.match(verified.out, /^verified: \d+ entries/);
  const { length } = lines(readFileSync(join(directory, 'entries.jsonl'), 'utf8'));
  assert.ok(length > 5);
  for (const format of copyFormats) {
    const { file, head } = copyForms[format];
    const copy = readFileSync(join(directory, file), 'utf8');
    assert.equal(lines(copy).length, length + (head === undefined ? 0 : 1));
    assert.equal((await runCli(['ledger', 'copy', directory, '--format', format])).out, copy);
  }
});

test('the nightly job of the guide takes each entry once, whatever has come between', async () => {
  const guide = readFileSync(new URL('../../docs/guides/operate.md', import.meta.url), 'utf8');
  const [, script = ''] = /```\n(#!\/bin\/sh\n# \/etc\/cron\.daily[\s\S]*?)```/.exec(guide) ?? [];
  const folder = join(room, 'siem');
  mkdirSync(join(folder, 'out'), { recursive: true });
  const { body } = await running.api('GET', '/organization');
  writeFileSync(join(folder, 'vkey.kept'), `${textAt(body, 'verifierKey')}\n`);
  const ours = script
    .replace('/opt/countersign/countersign', fileURLToPath(new URL('../../countersign', import.meta.url)))
    .replace('/var/lib/countersign-siem', folder)
    // Two nights are less than a second apart here.
    .replace('%SZ', '%S.%NZ');
  const places: number[] = [];
  for (let night = 0; night < 3; night += 1) {
    await somethingHappens(`night-${night}`);
    const env = { ...process.env, ...environment() };
    // The server lives in this process, so waiting for the job must not block it.
    const { stderr } = await promisify(execFile)('sh', ['-c', ours], { env });
    assert.equal(stderr, '');
    assert.equal(readdirSync(join(folder, 'out')).length, night + 1);
  }
  for (const file of readdirSync(join(folder, 'out')).sort())
    for (const line of lines(readFileSync(join(folder, 'out', file), 'utf8')))
      places.push(Number(at(JSON.parse(line), 'metadata.sequence')));
  const { length } = lines(readFileSync(join(folder, 'audit', 'entries.jsonl'), 'utf8'));
  assert.deepEqual(
    places,
    Array.from({ length }, (_, place) => place),
  );
});
