// Tries the command line as its users do: usage, flags made from the contract, answers, refusals, exit codes.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeId } from '@countersign/core/ids';
import { flagsOf, helpText } from './command.ts';
import { allCommands } from './commands.ts';
import { type Answers, type ContractServer, Refusal, serveContract } from './contract-server.ts';
import { type Ran, runCli } from './run-cli.ts';

const random = new Uint8Array(10);
const keyId = makeId('key', 1, random);
const workspaceId = makeId('workspace', 1, random);
const userId = makeId('user', 1, random);
const room = mkdtempSync(join(tmpdir(), 'cli-'));
after(() => rmSync(room, { recursive: true, force: true }));

async function against(
  t: TestContext,
  answers: Answers,
): Promise<{ readonly server: ContractServer; readonly cli: (...words: string[]) => Promise<Ran> }> {
  const server = await serveContract(answers);
  t.after(server.close);
  const env = { COUNTERSIGN_URL: server.url, COUNTERSIGN_KEY: ' csk_sample\n' };
  return { server, cli: (...words) => runCli(words, env) };
}

const key = {
  id: keyId,
  name: 'ci',
  use: 'models',
  principalId: userId,
  workspaceId,
  requireUser: false,
  status: 'active',
  createdAt: '2026-01-01T00:00:00Z',
};

test('a list that is joined by commas is refused, and told to be repeated', async (t) => {
  const { server, cli } = await against(t, {});
  const ran = await cli('keys', 'create', '--name', 'ci', '--models', 'small,large');
  assert.equal(ran.code, 2);
  assert.match(ran.err, /^`--models` takes one value each time: `--models small --models large`\nusage:/);
  assert.equal(server.asked.length, 0);
});

test('keys create sends what the flags say, shows the secret once and says so', async (t) => {
  const { server, cli } = await against(t, { 'key.create': () => ({ ...key, key: 'csk_secret' }) });
  const ran = await cli(
    ...['keys', 'create', '--name', 'ci', '--models', 'small', '--models', 'large'],
    ...['--expires-in-seconds', '3600', '--no-require-user', '--idempotency-key', 'once'],
  );
  assert.equal(ran.code, 0, ran.err);
  assert.match(ran.out, /^key: +csk_secret$/m);
  assert.match(ran.err, /shown this once/);
  const [asked] = server.asked;
  assert.deepEqual(asked?.body, {
    name: 'ci',
    models: ['small', 'large'],
    requireUser: false,
    expiresInSeconds: 3600,
  });
  assert.equal(asked?.key, 'csk_sample');
  assert.equal(asked?.idempotencyKey, 'once');
});

test('keys list, rotate and revoke reach their operations', async (t) => {
  const { server, cli } = await against(t, {
    'key.list': () => ({ items: [key] }),
    'key.rotate': () => ({ ...key, key: 'csk_new' }),
    'key.revoke': () => ({ ...key, status: 'revoked' }),
  });
  const listed = await cli('keys', 'list');
  assert.match(listed.out, /^ID +NAME +USE .*\nkey_\S+ +ci +models /);
  assert.equal((await cli('keys', 'rotate', keyId, '--overlap-seconds', '0')).code, 0);
  assert.match((await cli('keys', 'revoke', keyId)).out, /status: +revoked/);
  assert.deepEqual(
    server.asked.map(({ operation, params }) => [operation, params.id]),
    [
      ['key.list', undefined],
      ['key.rotate', keyId],
      ['key.revoke', keyId],
    ],
  );
});

test('--json answers with the JSON of the server on every kind of answer', async (t) => {
  const { cli } = await against(t, { 'key.list': () => ({ items: [key], next: 'c' }), 'key.get': () => key });
  const listed: unknown = JSON.parse((await cli('keys', 'list', '--json')).out);
  assert.deepEqual(listed, { items: [key], next: 'c' });
  const got: unknown = JSON.parse((await cli('keys', 'get', keyId, '--json')).out);
  assert.deepEqual(got, key);
});

test('--all follows every page; without it the next cursor is named', async (t) => {
  const { cli } = await against(t, {
    'key.list': ({ query }) => (query.cursor === undefined ? { items: [key], next: 'p2' } : { items: [key] }),
  });
  assert.match((await cli('keys', 'list')).err, /--cursor=p2/);
  assert.equal((await cli('keys', 'list', '--all')).out.trimEnd().split('\n').length, 3);
});

test('policy publish sends a file, and nested input comes as JSON or from a file', async (t) => {
  const { server, cli } = await against(t, {
    'policy.publish': () => ({ version: 4, hash: 'ab', warnings: [] }),
    'budget.create': ({ body }) => ({ ...Object.assign({}, body), id: makeId('budget', 1, random) }),
  });
  const file = join(room, 'policy.cedar');
  writeFileSync(file, 'permit(principal, action, resource);\n');
  assert.match((await cli('policy', 'publish', file)).out, /version: +4/);
  const scope = join(room, 'scope.json');
  writeFileSync(scope, JSON.stringify({ kind: 'person', id: userId }));
  const ran = await cli(
    ...[
      'budgets',
      'create',
      '--json-body',
      '{"name":"a","period":"day","limitNanos":1,"warnAtPercent":80,"action":"stop"}',
    ],
    ...['--scope', `@${scope}`, '--name', 'b'],
  );
  assert.equal(ran.code, 0, ran.err);
  assert.deepEqual(server.asked[0]?.body, { text: 'permit(principal, action, resource);\n' });
  assert.deepEqual(server.asked[1]?.body, {
    name: 'b',
    period: 'day',
    limitNanos: 1,
    warnAtPercent: 80,
    action: 'stop',
    scope: { kind: 'person', id: userId },
  });
});

test('simulate says what was skipped, where something was', async (t) => {
  const counts = { examined: 9, changed: 0, nowAllowed: 0, nowDenied: 0, examples: [] };
  const file = join(room, 'new.cedar');
  writeFileSync(file, 'permit(principal, action, resource);\n');
  for (const skipped of [2, 0]) {
    const { cli } = await against(t, { 'policy.simulate': () => ({ ...counts, skipped }) });
    const ran = await cli('policy', 'simulate', '--text', `@${file}`);
    assert.equal(/skipped are calls that cannot be decided again/.test(ran.err), skipped > 0, ran.err);
  }
});

test('--clear sends null, and only for what may be cleared', async (t) => {
  const { server, cli } = await against(t, { 'key.update': () => key });
  assert.equal((await cli('keys', 'update', keyId, '--clear', 'cost-centre')).code, 0);
  assert.deepEqual(server.asked[0]?.body, { costCentre: null });
  const wrong = await cli('keys', 'update', keyId, '--clear', 'name');
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /`name` cannot be cleared/);
});

test('a refusal is one clear sentence on standard error and exit code 1', async (t) => {
  const { cli } = await against(t, {
    'key.get': () => {
      throw new Refusal(403, 'permission_denied', 'your role does not allow `keys.read`');
    },
  });
  const ran = await cli('keys', 'get', keyId);
  assert.deepEqual(ran, {
    code: 1,
    out: '',
    err: 'refused: your role does not allow `keys.read` (code `permission_denied`, request `req_sample`)\n',
  });
});

test('a server that is not there is named', async () => {
  const ran = await runCli(['keys', 'list', '--url', 'http://127.0.0.1:1'], { COUNTERSIGN_KEY: 'k' });
  assert.equal(ran.code, 1);
  assert.match(ran.err, /^failed: `http:\/\/127\.0\.0\.1:1` cannot be reached/);
});

test('without a key nothing is sent and the variable is named', async () => {
  const ran = await runCli(['keys', 'list']);
  assert.equal(ran.code, 1);
  assert.match(ran.err, /set COUNTERSIGN_KEY to a management key/);
});

test('a key in a file serves, and a key that leaves the machine unencrypted is warned of', async (t) => {
  const { server } = await against(t, { 'key.list': () => ({ items: [] }) });
  const file = join(room, 'key');
  writeFileSync(file, 'csk_filed\n');
  const ran = await runCli(['keys', 'list', '--key-file', file, '--url', server.url]);
  assert.equal(ran.out, 'none\n');
  assert.equal(server.asked[0]?.key, 'csk_filed');
  const remote = await runCli(['keys', 'list', '--url', 'http://gateway.invalid', '--timeout', '1'], {
    COUNTERSIGN_KEY: 'k',
  });
  assert.match(remote.err, /travels unencrypted to `gateway.invalid`/);
});

const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['no verb', [], /usage: countersign VERB/],
  ['an unknown verb', ['kyes', 'list'], /unknown verb `kyes`, did you mean `keys`\?/],
  ['an unknown second verb', ['keys', 'rotat'], /did you mean `keys rotate`\?[\s\S]*usage:/],
  ['a verb that is missing', ['keys'], /`keys` needs a verb/],
  ['an unknown flag', ['keys', 'create', '--nmae', 'x'], /unknown flag `--nmae`, did you mean `--name`\?/],
  ['a missing id', ['keys', 'revoke'], /`ID` is missing/],
  ['a word too many', ['keys', 'list', 'all'], /`all` is one word too many/],
  ['a flag without its value', ['keys', 'create', '--name'], /--name/],
  [
    'a number that is none',
    ['keys', 'rotate', keyId, '--overlap-seconds', '1h'],
    /takes a whole number, not `1h`/,
  ],
  ['an id of another kind', ['keys', 'get', userId], /must be a key id/],
  ['a body that lacks what is needed', ['keys', 'create'], /field `name`/],
  ['JSON that is none', ['budgets', 'create', '--scope', '{'], /`--scope` takes JSON/],
  ['a flag before the verb', ['--json', 'keys', 'list'], /the verb comes first/],
  ['a time-out that is none', ['keys', 'list', '--timeout', 'soon'], /takes seconds/],
  [
    'an address that is none',
    ['keys', 'list', '--url', 'ftp://x'],
    /no http or https URL: give .* by --url or COUNTERSIGN_URL/,
  ],
  ['an owner that is none', ['init', '--org', 'acme', '--owner', 'alice'], /takes an e-mail address/],
  ['an organization that is missing', ['init', '--owner', 'alice@example.com'], /`--org` is missing/],
];

for (const [what, words, message] of wrong) {
  test(`${what} is wrong usage: exit code 2, with how it is used`, async () => {
    const ran = await runCli(words, { COUNTERSIGN_KEY: 'k', COUNTERSIGN_URL: 'http://127.0.0.1:1' });
    assert.equal(ran.code, 2, ran.err);
    assert.match(ran.err, message);
    assert.match(ran.err, /usage:/);
    assert.equal(ran.out, '');
  });
}

test('what a server sends cannot act on the terminal', async (t) => {
  const evil = 'x\u001b[2J\u009b\u202eevil\u2066\u{e0041}\r\n';
  const { cli } = await against(t, {
    'policy.get': () => ({ version: 1, hash: evil, text: `permit\n\u001b]0;title\u0007` }),
    'token_issuer.list': () => {
      throw new Refusal(400, 'invalid_request', evil);
    },
  });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  const acts = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u;
  for (const words of [
    ['policy', 'get'],
    ['policy', 'get', '--json'],
    ['token-issuers', 'list'],
  ]) {
    const ran = await cli(...words);
    assert.doesNotMatch(ran.out + ran.err, acts, words.join(' '));
  }
  const shown: unknown = JSON.parse((await cli('policy', 'get', '--json')).out);
  assert.deepEqual(shown, { version: 1, hash: evil, text: `permit\n\u001b]0;title\u0007` });
});

test('a cell of CSV that a spreadsheet would run is quoted', async (t) => {
  const { cli } = await against(t, {
    'key.list': () => ({
      items: ['=cmd()', '+1', '-1', '@x', 'a,"b"', 'ok'].map((name) => ({ ...key, name })),
    }),
  });
  const { out } = await cli('keys', 'list', '--csv');
  const names = out.split('\r\n').map((line) => line.slice(keyId.length + 1).replace(/,models.*/, ''));
  assert.deepEqual(names.slice(1, 7), ["'=cmd()", "'+1", "'-1", "'@x", '"a,""b"""', 'ok']);
});

test('every command has help with its usage and an example, and no flag twice', () => {
  const commands = allCommands();
  assert.equal(new Set(commands.map(({ name }) => name)).size, commands.length);
  for (const command of commands) {
    const names = flagsOf(command).map(({ name }) => name);
    assert.equal(new Set(names).size, names.length, `${command.name}: ${names.join(' ')}`);
    assert.ok(
      command.examples.every((example) => example.startsWith(command.name)),
      command.name,
    );
    assert.match(helpText(command), /usage: countersign [\s\S]*examples:\n {2}countersign /);
  }
});

test('the process ends with the exit code, help on standard output', () => {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const run = (...words: string[]) => spawnSync(process.execPath, [main, ...words], { encoding: 'utf8' });
  const help = run('keys', 'create', '--help');
  assert.equal(help.status, 0, help.stderr);
  assert.match(help.stdout, /--expires-in-seconds N/);
  const unknown = run('sevre');
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /did you mean `serve`\?/);
});
