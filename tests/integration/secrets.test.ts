// Owns the claim that secrets do not leak: not into logs, answers, records, tables, files or metrics.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Canary, leaksIn, type Place } from '../support/canaries.ts';
import { assertReplays, storageOf } from '../support/replayed-store.ts';
import { textAt } from '../support/server.ts';
import { initProcessStore, processEnv, type ServerProcess, startProcess } from '../support/server-process.ts';

const random = (): string => randomBytes(24).toString('base64url');
const masterKey = randomBytes(32).toString('hex');
const apiKey = `sk-provider-${random()}`;
const strangeKey = `csk_${random()}`;
const cookie = `session-${random()}`;
const urlPassword = `password-${random()}`;
const prompt = `prompt-${random()}`;
const token = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.${Buffer.from(`{"iss":"https://idp.example.com","jti":"${random()}"}`).toString('base64url')}.${random()}${random()}`;

type Asked = {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** Asks and keeps what was answered, head and body, as a place to search. */
function createAsker(server: ServerProcess, places: Place[]) {
  return async ({ method = 'POST', path, headers = {}, body }: Asked): Promise<string> => {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    const head = JSON.stringify([...response.headers]);
    places.push({ name: `answer ${response.status} of ${method} ${path.split('?')[0]}`, bytes: head + text });
    return text;
  };
}

/** Sends bytes that are no request, and gives what came back. */
function sendRaw(server: ServerProcess, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
    socket.setTimeout(3_000, () => socket.destroy());
  });
}

/** Every cell of every table, by table. */
function tablesOf(file: string): readonly Place[] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const names = db.prepare("select name from sqlite_master where type = 'table'").all();
    return names.map(({ name }) => {
      const cells = db
        .prepare(`select * from "${String(name)}"`)
        .all()
        .flatMap((row) => Object.values(row))
        .map((cell) => (cell instanceof Uint8Array ? Buffer.from(cell) : Buffer.from(`${cell}`)));
      return { name: `table ${String(name)}`, bytes: Buffer.concat(cells) };
    });
  } finally {
    db.close();
  }
}

function filesOf(directory: string): readonly Place[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile())
    .map((name) => ({ name: `file ${name}`, bytes: readFileSync(join(directory, name)) }));
}

/** A provider that refuses everything, and says what it was sent while it does. */
async function startTellingProvider() {
  const server = createServer((request, response) => {
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: `no such key: ${request.headers.authorization}` } }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { url: `http://127.0.0.1:${address.port}`, close: () => server.close() };
}

const chat = JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: prompt }] });

/** Every way to be answered that this test knows: served, refused, malformed, failed upstream. */
async function exercise(
  server: ServerProcess,
  keys: { management: string; models: string },
  upstream: string,
) {
  const places: Place[] = [];
  const ask = createAsker(server, places);
  const bearer = (key: string) => ({ authorization: `Bearer ${key}`, cookie });
  const models = bearer(keys.models);
  const managing = bearer(keys.management);
  const provider = { name: 'telling', kind: 'openai', baseUrl: upstream, apiKey };
  const made = await ask({ path: '/api/v1/providers', headers: managing, body: JSON.stringify(provider) });
  const model = { name: 'telling', providerId: textAt(JSON.parse(made), 'id') };
  await ask({ path: '/api/v1/models', headers: managing, body: JSON.stringify(model) });
  await ask({ path: '/v1/chat/completions', headers: models, body: chat.replace('sandbox', 'telling') });
  const stream = chat.replace('{', '{"stream":true,');
  for (const body of [chat.replace('sandbox', 'nothing'), chat.slice(0, -3), stream.replace('[', '{[')])
    await ask({ path: '/v1/chat/completions', headers: models, body });
  for (const key of [strangeKey, token, keys.management, `${keys.models}x`, keys.models.slice(0, -1)])
    await ask({ path: '/v1/messages', headers: bearer(key), body: chat });
  await ask({ path: '/v1/messages', headers: { ...models, 'x-api-key': strangeKey }, body: chat });
  for (const path of ['/v1/chat/completions', '/api/v1/keys', '/nowhere', '/setup', '/metrics'])
    await ask({ method: 'GET', path: `${path}?api_key=${keys.models}&token=${token}`, headers: models });
  const bad = [
    { ...provider, name: 'url', baseUrl: `https://user:${urlPassword}@api.example.com` },
    { ...provider, name: 'nested', apiKey: { value: apiKey } },
    { ...provider, name: 'twice', kind: apiKey.slice(0, 3), apiKey },
    provider,
  ];
  for (const body of bad)
    await ask({ path: '/api/v1/providers', headers: managing, body: JSON.stringify(body) });
  await ask({ path: '/api/v1/providers', headers: managing, body: `{"apiKey":"${apiKey}",` });
  for (const path of ['/api/v1/providers', '/api/v1/keys', '/api/v1/records', '/metrics'])
    await ask({ method: 'GET', path, headers: managing });
  const raw = [
    `GET /v1/models HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${keys.models}\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`,
    `GET /v1/models HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${keys.models}\r\nbad header\r\n\r\n`,
    `GET /v1/models HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${keys.models}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`,
  ];
  for (const bytes of raw) places.push({ name: 'answer to raw bytes', bytes: await sendRaw(server, bytes) });
  return places;
}

test('no secret is in a log, an answer, a record, a table, a file or the metrics', {
  timeout: 60_000,
}, async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-secrets-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const upstream = await startTellingProvider();
  context.after(upstream.close);
  const env = processEnv(directory, { COUNTERSIGN_MASTER_KEY: masterKey, COUNTERSIGN_LOG_LEVEL: 'trace' });
  const made = await initProcessStore(env);
  const server = await startProcess({ env });
  context.after(server.kill);
  const keys = { management: made.managementKey, models: made.modelsKey };
  const answers = await exercise(server, keys, upstream.url);
  const served = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.models}`, 'content-type': 'application/json' },
    body: chat,
  });
  assert.equal(served.status, 200, await served.text());
  // Refusals are recorded once a second, the projection twice.
  await sleep(1_300);
  server.signal('SIGTERM');
  await server.ended;
  const databases = filesOf(directory).filter(({ name }) => /\.(db|sqlite)$/.test(name));
  assert.equal(databases.length, 1);
  const tables = databases.flatMap(({ name }) => tablesOf(join(directory, name.slice('file '.length))));
  const places = [
    ...answers,
    { name: 'log', bytes: server.lines.join('\n') },
    ...filesOf(directory),
    ...tables,
  ];
  const canaries: readonly Canary[] = [
    { name: 'master key', secret: masterKey },
    { name: 'management key', secret: keys.management },
    { name: 'models key', secret: keys.models },
    { name: 'provider key', secret: apiKey },
    { name: 'unknown key', secret: strangeKey },
    { name: 'token', secret: token },
    { name: 'cookie', secret: cookie },
    { name: 'password in a url', secret: urlPassword },
    { name: 'prompt', secret: prompt },
  ];
  assert.ok(answers.length > 25 && tables.length > 10);
  // The search sees what is there: an id that is no secret is in all of these.
  const known = leaksIn([{ name: 'id', secret: made.organizationId }], places);
  for (const place of ['table records', 'table objects', 'table entry_bundles']) {
    assert.ok(known.includes(`id in ${place}`), place);
  }
  assert.deepEqual(leaksIn(canaries, places), []);
  await assertReplays(storageOf(env));
});

const planted: readonly (readonly [string, (secret: string) => string | Buffer])[] = [
  ['as it is', (secret) => `{"key":"${secret}"}`],
  ['cut at its beginning', (secret) => `…${secret.slice(Math.floor(secret.length / 2))}`],
  ['in hex', (secret) => Buffer.from(secret).toString('hex')],
  ['in base64 after something else', (secret) => Buffer.from(`user:${secret}`).toString('base64')],
  ['in base64url', (secret) => Buffer.from(`ab${secret}`).toString('base64url')],
  ['escaped for a URL', (secret) => `?key=${encodeURIComponent(secret)}`],
];

for (const [form, leak] of planted) {
  test(`a planted secret is found ${form}`, () => {
    const secret = `sk-provider/${random()}+${random()}`;
    const canary = { name: 'key', secret };
    assert.deepEqual(leaksIn([canary], [{ name: 'log', bytes: leak(secret) }]), ['key in log']);
    assert.deepEqual(leaksIn([canary], [{ name: 'log', bytes: leak(random()) }]), []);
  });
}

test('a planted key of bytes is found raw and in base64', () => {
  const canary = { name: 'master key', secret: masterKey };
  for (const bytes of [Buffer.from(masterKey, 'hex'), Buffer.from(masterKey, 'hex').toString('base64')])
    assert.deepEqual(leaksIn([canary], [{ name: 'file', bytes }]), ['master key in file']);
});
