// Tests the verbs that are about the server on this machine: what they warn of, refuse, and say of settings.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isObject } from '@countersign/core/json';
import { runCli } from './run-cli.ts';

const room = mkdtempSync(join(tmpdir(), 'cli-'));
after(() => rmSync(room, { recursive: true, force: true }));

test('init warns of the master key that it made, with its file, and of none that was given', async () => {
  const directory = join(room, 'made');
  const words = ['init', '--org', 'acme', '--owner', 'alice@example.com', '--data-dir'];
  const ran = await runCli([...words, directory]);
  assert.equal(ran.code, 0, ran.err);
  const file = join(directory, 'master.key');
  assert.ok(ran.err.includes(`warning: made a master key in \`${file}\`: keep a copy apart from the store`));
  assert.doesNotMatch(ran.out, /warning/);
  const key = readFileSync(file, 'utf8').trim();
  const given = await runCli([...words, join(room, 'given')], { COUNTERSIGN_MASTER_KEY: key });
  assert.equal(given.code, 0, given.err);
  assert.doesNotMatch(given.err, /master key/);
});

test('init prints the origin of the ledger, and says of one on this machine that it stays', async () => {
  const words = ['init', '--org', 'acme', '--owner', 'alice@example.com', '--data-dir'];
  const local = await runCli([...words, join(room, 'local')]);
  assert.match(local.out, /^ledger origin {2}127\.0\.0\.1:7070\/org_\w+$/m);
  assert.match(local.err, /set COUNTERSIGN_PUBLIC_URL or --public-url before init/);
  const named = await runCli([...words, join(room, 'named'), '--public-url', 'https://ai.example.com']);
  assert.match(named.out, /^ledger origin {2}ai\.example\.com\/org_\w+$/m);
  assert.doesNotMatch(named.err, /PUBLIC_URL/);
});

test('init says in words what is wrong with an address', async () => {
  const ran = await runCli(['init', '--org', 'acme', '--owner', 'a@b', '--data-dir', join(room, 'wrong')]);
  assert.equal(ran.code, 2);
  assert.match(ran.err, /`ownerEmail` must be an e-mail address, such as `alice@example\.com`/);
});

test('config print says of a value whether its flag or its variable gave it', async () => {
  const env = { COUNTERSIGN_DATA_DIR: '/elsewhere', COUNTERSIGN_NODE_NAME: 'n1' };
  const { out } = await runCli(['config', 'print', '--data-dir', room, '--listen', '127.0.0.1:1'], env);
  assert.ok(out.includes(`${room}  (flag --data-dir)`), out);
  assert.match(out, /127\.0\.0\.1:1 {2}\(flag --listen\)/);
  assert.match(out, /n1 {2}\(environment COUNTERSIGN_NODE_NAME\)/);
  const without = await runCli(['config', 'print'], env);
  assert.match(without.out, /\/elsewhere {2}\(environment COUNTERSIGN_DATA_DIR\)/);
});

for (const verb of [['serve'], ['init', '--org', 'a', '--owner', 'a@example.com'], ['config', 'print']])
  test(`${verb.join(' ')} with an address that is none is wrong usage`, async () => {
    const ran = await runCli([...verb, '--listen', 'foo']);
    assert.equal(ran.code, 2, ran.err);
    assert.match(ran.err, /^`--listen` must be `host:port`, for example `127\.0\.0\.1:7070`\nusage:/);
  });

test('the server refuses such an address in the same way where it is started by itself', () => {
  const main = fileURLToPath(import.meta.resolve('@countersign/server/main'));
  const ran = spawnSync(process.execPath, [main, '--listen', 'foo'], { encoding: 'utf8', timeout: 30_000 });
  assert.equal(ran.status, 2, ran.stderr);
  assert.match(ran.stderr, /`--listen` must be `host:port`/);
});

for (const verb of ['serve', 'init --org a --owner a@example.com'])
  test(`${verb} with a file as its data folder says so in one sentence`, () => {
    const file = join(room, 'a-file');
    writeFileSync(file, '');
    const main = fileURLToPath(new URL('./main.ts', import.meta.url));
    const words = [main, ...verb.split(' '), '--data-dir', file, '--listen', '127.0.0.1:0'];
    const ran = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 30_000 });
    assert.equal(ran.status, 1, ran.stderr);
    assert.match(
      ran.stderr,
      /^(?:countersign|failed): `\S+a-file` is a file, not a folder: name another one\n$/,
    );
  });

test('a file of the key that is not there is said to be so', async () => {
  const ran = await runCli(['keys', 'list', '--key-file', join(room, 'nope')]);
  assert.equal(ran.code, 2);
  assert.match(ran.err, /^`\S+nope` cannot be read \(ENOENT\); check the path and its permissions\nusage: /);
});

test('--version says the version of the package', async () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  assert.ok(isObject(manifest));
  const ran = await runCli(['--version']);
  assert.deepEqual(ran, { code: 0, out: `countersign ${String(manifest.version)}\n`, err: '' });
});
