// Claims about starting the server by hand: its flags, what it prints, and what stops it from starting.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { at, textAt } from '../support/server.ts';
import { initProcessStore, processEnv, runServer, startProcess, within } from '../support/server-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-start-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What a start prints and ends with, for those that must not run on. */
async function endOf(words: readonly string[], env = processEnv(join(folder, 'never'))) {
  const { lines, ended, kill } = runServer({ env, words });
  after(kill);
  const { code } = await within(20_000, 'the end of the process', ended).finally(kill);
  return { code, lines };
}

test('flags win over variables: the server listens and stores where they say, and prints its set-up link', async (t) => {
  const directory = join(folder, 'by-flag');
  const words = ['--listen', '127.0.0.1:0', '--data-dir', directory];
  const env = { ...processEnv(join(folder, 'by-variable')), COUNTERSIGN_LISTEN: '127.0.0.1:1' };
  const running = await startProcess({ env, words });
  t.after(running.kill);
  assert.ok(existsSync(join(directory, 'countersign.db')));
  assert.ok(!existsSync(join(folder, 'by-variable')));
  const link = running.lines.find((line) => line.startsWith('Set it up once, here: '))?.split(': ')[1] ?? '';
  const page = await fetch(link);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /Set up Countersign/);
  running.signal('SIGTERM');
  assert.equal((await within(20_000, 'the end of the process', running.ended)).code, 0);
});

for (const [way, options] of [
  ['npm start', { words: ['--json'] }],
  ['the command line', { main: 'packages/cli/src/main.ts', words: ['serve', '--json'] }],
] as const)
  test(`by ${way} with --json the set-up link is a member of one line of JSON`, async (t) => {
    const env = processEnv(join(folder, `json-${way.length}`));
    const running = await startProcess({ env, ...options });
    t.after(running.kill);
    const line = running.lines.find((one) => one.includes('setupUrl')) ?? '';
    const told: unknown = JSON.parse(line);
    const setupUrl = textAt(told, 'setupUrl');
    assert.ok(setupUrl.startsWith(`${textAt(told, 'url')}/setup?token=`));
    assert.equal((await fetch(setupUrl)).status, 200);
    assert.ok(!running.lines.some((one) => one.startsWith('Set it up')));
  });

for (const [listen, opens] of [
  ['[::1]:0', 'http://[::1]:'],
  ['0.0.0.0:0', 'http://127.0.0.1:'],
] as const)
  test(`on ${listen} the set-up link is a URL that opens on this machine`, async (t) => {
    const directory = join(folder, `on-${opens.length}`);
    const running = await startProcess({ env: processEnv(directory), words: ['--listen', listen] });
    t.after(running.kill);
    const link = running.lines.find((line) => line.startsWith('Set it up once, here: '))?.slice(22) ?? '';
    assert.ok(link.startsWith(opens), link);
    assert.equal((await fetch(link)).status, 200);
  });

test('a flag that there is not is a wrong usage: one sentence, exit code 2, nothing made', async () => {
  const { code, lines } = await endOf(['--port', '7071']);
  assert.equal(code, 2);
  assert.deepEqual(lines, [
    'countersign: `--port` is no flag, or lacks its value: there are --listen, --public-url, --data-dir, --config, --json and --help',
  ]);
  assert.ok(!existsSync(join(folder, 'never')));
});

test('a first start that would put an address that nobody reaches into every ledger is refused, with what to set', async () => {
  const env = { ...processEnv(join(folder, 'everywhere')), COUNTERSIGN_PUBLIC_URL: undefined };
  const words = ['--listen', '0.0.0.0:0'];
  const first = await endOf(words, env);
  assert.equal(first.code, 1);
  assert.match(
    first.lines.join('\n'),
    /^countersign: the origin of every ledger would be `0\.0\.0\.0:0\/org_…` for ever.*: set COUNTERSIGN_PUBLIC_URL/m,
  );
  await assert.rejects(
    initProcessStore({ ...env, COUNTERSIGN_LISTEN: '[::]:1' }),
    /set COUNTERSIGN_PUBLIC_URL/,
  );
  const { origin, organizationId } = await initProcessStore({
    ...env,
    COUNTERSIGN_PUBLIC_URL: 'https://ai.example',
  });
  assert.equal(origin, `ai.example/${organizationId}`);
});

test('once it has its organization, a start on every address warns that its URL is missing, and goes on', async (t) => {
  const env = processEnv(join(folder, 'everywhere'));
  const running = await startProcess({
    env: { ...env, COUNTERSIGN_PUBLIC_URL: undefined },
    words: ['--listen', '0.0.0.0:0'],
  });
  t.after(running.kill);
  assert.ok(running.lines.some((line) => line.includes('nobody reaches this server by that URL')));
});

test('a copy of the database without its journal starts with one line of warning, and no error', async (t) => {
  const env = processEnv(join(folder, 'copy'));
  await initProcessStore(env);
  rmSync(join(folder, 'copy', 'countersign.journal'));
  const running = await startProcess({ env });
  t.after(running.kill);
  const told = running.lines.filter((line) => line.includes('countersign.journal'));
  assert.deepEqual(
    told.map((line) => at(JSON.parse(line), 'level')),
    ['warn'],
  );
  assert.ok(!running.lines.some((line) => line.includes('"level":"error"')));
});

test('--help says which flags and variables there are, and starts nothing', async () => {
  const { code, lines } = await endOf(['--help']);
  assert.equal(code, 0);
  for (const name of ['--listen', '--public-url', '--data-dir', '--config', 'DATABASE_URL'])
    assert.ok(
      lines.some((line) => line.includes(name)),
      name,
    );
  assert.ok(!existsSync(join(folder, 'never')));
});

test('an address that is taken is named, with what to set', async (t) => {
  const running = await startProcess({ env: processEnv(join(folder, 'first')) });
  t.after(running.kill);
  const { code, lines } = await endOf(
    ['--listen', `127.0.0.1:${running.port}`],
    processEnv(join(folder, 'second')),
  );
  assert.equal(code, 1);
  const last = lines.at(-1) ?? '';
  assert.match(last, /^countersign: cannot listen on 127\.0\.0\.1:\d+: another process listens there; set /);
});
