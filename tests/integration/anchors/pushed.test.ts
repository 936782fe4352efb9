// Claims about checkpoints pushed by a running server: they verify, they grow, and a receiver in trouble holds nothing up.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { openCheckpoint } from '@countersign/core/ledger/checkpoint';
import { parseVerifierKey } from '@countersign/core/ledger/note';
import { nodeVerifying } from '@countersign/sdk/ledger/node-verifying';
import {
  receiveDatagrams,
  receiveStreams,
  receiveWebhook,
  type WebhookReceiver,
} from '../../support/anchor-receivers.ts';
import { selfSigned } from '../../support/certificate.ts';
import { send, until } from '../../support/gateway.ts';
import { startServer, type TestServer, textAt } from '../../support/server.ts';
import { initProcessStore, processEnv, startProcess, within } from '../../support/server-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-anchors-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const guide = readFileSync(new URL('../../../docs/guides/verify-the-ledger.md', import.meta.url), 'utf8');
/** What an interval and the writer's half second may take, and some. */
const soonMs = 15_000;

/** A running server that pushes to these. */
async function start(t: TestContext, anchors: { readonly [variable: string]: string }): Promise<TestServer> {
  const names = Object.entries(anchors).map(([name, value]) => [`COUNTERSIGN_CHECKPOINT_${name}`, value]);
  const env = { COUNTERSIGN_EGRESS_ALLOW: '127.0.0.1', ...Object.fromEntries(names) };
  const running = await startServer({ env });
  let stopped: ReturnType<TestServer['stop']> | undefined;
  const stop = (): ReturnType<TestServer['stop']> => {
    stopped ??= running.stop();
    return stopped;
  };
  t.after(stop);
  return { ...running, stop };
}

async function hook(t: TestContext): Promise<WebhookReceiver> {
  const receiver = await receiveWebhook();
  t.after(receiver.close);
  return receiver;
}

async function call(running: TestServer): Promise<void> {
  const body = { model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] };
  const answer = await send(running.url, running.modelsKey, { body });
  assert.equal(answer.status, 200);
}

const sizeOf = (note: string): number => Number(note.split('\n')[1]);

/** The organization's notes among what a webhook got, each held to the key of its log. */
async function ownNotes(running: TestServer, { received }: WebhookReceiver): Promise<readonly string[]> {
  const { body } = await running.api('GET', '/organization');
  const key = parseVerifierKey(nodeVerifying, textAt(body, 'verifierKey')) ?? assert.fail('no key');
  const notes = received.map((one) => one.body).filter((note) => note.startsWith(`${key.name}\n`));
  for (const note of notes) assert.ok(openCheckpoint(nodeVerifying, note, key).ok, note);
  return notes;
}

/** The size of the log now; asked of the server. */
async function logSize(running: TestServer): Promise<number> {
  const { body } = await running.api('GET', '/ledger/checkpoint');
  return sizeOf(textAt(body, 'checkpoint'));
}

/** The checkpoint that the guide's command makes of lines of syslog. */
function rebuilt(lines: readonly string[], origin: string): string {
  const command = /^grep -F "origin=\$ORIGIN " messages .*$/m.exec(guide)?.[0] ?? assert.fail('no command');
  writeFileSync(join(folder, 'messages'), lines.map((line) => `${line}\n`).join(''));
  execFileSync('sh', ['-c', command], { cwd: folder, env: { ...process.env, ORIGIN: origin } });
  return readFileSync(join(folder, 'checkpoint.kept'), 'utf8');
}

test('what is pushed verifies with the log’s key, grows with calls, and is made again from a line of syslog', async (t) => {
  const webhook = await hook(t);
  const datagrams = await receiveDatagrams();
  t.after(datagrams.close);
  const running = await start(t, {
    WEBHOOK: webhook.url,
    WEBHOOK_TOKEN: 'hook-token',
    SYSLOG: datagrams.url,
  });
  assert.ok(await until(async () => (await ownNotes(running, webhook)).length > 0, soonMs));
  const [first = ''] = await ownNotes(running, webhook);
  for (let calls = 0; calls < 5; calls += 1) await call(running);
  const size = await logSize(running);
  assert.ok(size >= sizeOf(first) + 10);
  const isThere = async () => (await ownNotes(running, webhook)).some((note) => sizeOf(note) >= size);
  assert.ok(await until(isThere, soonMs));

  const notes = await ownNotes(running, webhook);
  assert.ok(notes.length <= 6, `${notes.length} pushes for 5 calls and a start`);
  const newest = notes.at(-1) ?? '';
  const [origin = ''] = newest.split('\n');
  assert.ok(
    webhook.received.every(({ headers }) => headers.authorization === 'Bearer hook-token'),
    'each brings the token',
  );
  assert.ok(
    webhook.received.some(({ body }) => !body.startsWith(`${origin}\n`)),
    'so is the installation’s log',
  );
  const lines = (): readonly string[] =>
    datagrams.messages.filter((line) => line.includes(`origin=${origin} `));
  assert.ok(await until(() => lines().some((line) => line.includes(` size=${sizeOf(newest)} `)), soonMs));
  const upTo = lines().findIndex((line) => line.includes(` size=${sizeOf(newest)} `)) + 1;
  assert.equal(rebuilt(lines().slice(0, upTo), origin), newest);
});

test('a receiver that answers 500 holds up no call, and has the newest checkpoint when it is back', async (t) => {
  const webhook = await hook(t);
  webhook.answer((response) => void response.writeHead(500).end());
  const running = await start(t, { WEBHOOK: webhook.url });
  for (let calls = 0; calls < 5; calls += 1) await call(running);
  assert.ok(await until(() => webhook.received.length > 0, soonMs));
  const refused = webhook.received.length;
  webhook.answer((response) => void response.end());
  const size = await logSize(running);
  const isThere = async () => (await ownNotes(running, webhook)).some((note) => sizeOf(note) >= size);
  assert.ok(await until(isThere, 2 * soonMs));
  assert.ok(webhook.received.length > refused);
});

test('receivers that hang hold up no call and no stop, and the last try of a stop brings the last checkpoint', async (t) => {
  const hanging = await hook(t);
  hanging.answer(() => {});
  const silent = await receiveStreams({ onConnection: (socket) => void socket.pause() });
  t.after(silent.close);
  const running = await start(t, { WEBHOOK: hanging.url, SYSLOG: silent.url });
  assert.ok(await until(() => hanging.received.length > 0, soonMs));
  const began = performance.now();
  for (let calls = 0; calls < 10; calls += 1) await call(running);
  assert.ok(performance.now() - began < 5_000);
  const report = await running.stop();
  assert.deepEqual(report.unfinished, []);
  assert.ok(report.ms < 10_000, `${report.ms}`);

  const webhook = await hook(t);
  const quick = await start(t, { WEBHOOK: webhook.url });
  assert.ok(await until(async () => (await ownNotes(quick, webhook)).length > 0, soonMs));
  await call(quick);
  const size = await logSize(quick);
  const notes = await ownNotes(quick, webhook);
  assert.ok(
    notes.every((note) => sizeOf(note) < size),
    'the interval has not passed',
  );
  const [origin = ''] = notes[0]?.split('\n') ?? [];
  await quick.stop();
  const last = webhook.received.findLast(({ body }) => body.startsWith(`${origin}\n`))?.body ?? '';
  assert.ok(sizeOf(last) >= size);
});

test('beside a receiver by TLS another that is not allowed is told once, in words, and is a metric', async (t) => {
  const directory = join(folder, 'refused');
  const tls = selfSigned();
  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, tls.cert);
  const logs = await receiveStreams({ tls });
  t.after(logs.close);
  // A name, so that only its answer shows that it is private; nothing of the token or the path is told.
  const env = processEnv(directory, {
    NODE_EXTRA_CA_CERTS: ca,
    COUNTERSIGN_EGRESS_ALLOW: new URL(logs.url).host,
    COUNTERSIGN_CHECKPOINT_SYSLOG: logs.url,
    COUNTERSIGN_CHECKPOINT_WEBHOOK: 'https://localhost:9/secret-path',
    COUNTERSIGN_CHECKPOINT_WEBHOOK_TOKEN: 'canary-token',
    COUNTERSIGN_MANAGEMENT_LISTEN: '127.0.0.1:0',
  });
  const { organizationId } = await initProcessStore(env);
  const running = await startProcess({ env });
  t.after(running.kill);
  const told = (): readonly string[] =>
    running.lines.filter((line) => line.includes('checkpoints are not taken'));
  assert.ok(await until(() => told().length > 0 && logs.messages.length > 0, soonMs));
  assert.ok(logs.messages.some((line) => line.includes(`/${organizationId} size=`)));
  const metrics = await (await fetch(`${running.managementUrl}/metrics`)).text();
  assert.match(metrics, /^countersign_checkpoint_push_failing\{anchor="webhook"\} 1$/m);
  assert.match(metrics, /^countersign_checkpoint_push_failing\{anchor="syslog"\} 0$/m);
  assert.match(metrics, /^countersign_checkpoint_pushes_total\{anchor="webhook",outcome="failed"\} [1-9]/m);
  assert.match(metrics, /^countersign_checkpoint_pushes_total\{anchor="syslog",outcome="sent"\} [1-9]/m);
  running.signal('SIGTERM');
  assert.equal((await within(20_000, 'the end of the process', running.ended)).code, 0);
  assert.equal(told().length, 1);
  assert.match(
    told()[0] ?? '',
    /`localhost` is not on the public internet; list it in COUNTERSIGN_EGRESS_ALLOW/,
  );
  assert.ok(!running.lines.join('\n').includes('canary-token'));
  assert.ok(!running.lines.join('\n').includes('secret-path'));
});
