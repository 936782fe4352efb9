// Claims about the anchors by themselves: what a receiver gets, and that one which misbehaves costs a bounded wait.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Secret } from '@countersign/server/platform/config/secret';
import { readSyslogUrl } from '@countersign/server/platform/config/syslog-url';
import { createEgress } from '@countersign/server/platform/egress/egress';
import type { Anchor } from '@countersign/server/upstreams/anchors/anchor';
import { createSyslog } from '@countersign/server/upstreams/anchors/syslog';
import { createWebhook } from '@countersign/server/upstreams/anchors/webhook';
import {
  receiveDatagrams,
  receiveStreams,
  receiveWebhook,
  type StreamOptions,
} from '../../support/anchor-receivers.ts';
import { selfSigned } from '../../support/certificate.ts';
import { until } from '../../support/gateway.ts';

/** Real ones of an independent generator, at two sizes of one log but for the second's signature. */
const note = (size: number): string =>
  `gateway.example/audit/org-1\n${size}\n5nFSKCkHujpF9Z+tgUKVjTUs3ZNObqoUrIvaYGA3UhM=\n\n` +
  '— gateway.example/audit/org-1 21gRP9gL0Y9SYhxnhaSHJU3/bh9nHrZNmWv/CvoulItnU0HhdOU5YeidWgQLT9OkRyq7Ul9FGgMCZKouSfxsIA5Vfgg=\n';
const notes = [note(1000), note(1001)];

const listed = createEgress({ allow: ['127.0.0.1'] });
const unlisted = createEgress({ allow: [] });

function webhook(url: string, egress = listed, timeoutMs = 2_000): Anchor {
  return createWebhook({ url, token: new Secret('hook-token'), egress, timeoutMs });
}

function syslog(url: string, egress = listed, timeoutMs = 2_000): Anchor {
  const place = readSyslogUrl(url) ?? assert.fail(url);
  return createSyslog({ place, egress, timeoutMs, node: 'node-a', now: () => Date.UTC(2026, 10, 28) });
}

/** How many were taken, and why not all; `undefined` if all were. */
async function push(anchor: Anchor, signal = new AbortController().signal) {
  let taken = 0;
  const failure = await anchor
    .push(
      notes,
      () => {
        taken += 1;
      },
      signal,
    )
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  return { taken, failure: failure instanceof Error ? failure.message : failure };
}

async function stream(t: TestContext, options?: StreamOptions) {
  const receiver = await receiveStreams(options);
  t.after(receiver.close);
  return receiver;
}

async function hook(t: TestContext) {
  const receiver = await receiveWebhook();
  t.after(receiver.close);
  return receiver;
}

const text = (size: number): string =>
  '<110>1 2026-11-28T00:00:00.000Z node-a countersign - checkpoint - \ufeff' +
  `origin=gateway.example/audit/org-1 size=${size} root=5nFSKCkHujpF9Z+tgUKVjTUs3ZNObqoUrIvaYGA3UhM= key=gateway.example/audit/org-1 ` +
  'signature=21gRP9gL0Y9SYhxnhaSHJU3/bh9nHrZNmWv/CvoulItnU0HhdOU5YeidWgQLT9OkRyq7Ul9FGgMCZKouSfxsIA5Vfgg=';
const texts = [text(1000), text(1001)];

test('a webhook gets one request a checkpoint: the note as it is, what it is of, and the token', async (t) => {
  const receiver = await hook(t);
  assert.deepEqual(await push(webhook(`${receiver.url}/in?project=7`)), { taken: 2, failure: undefined });
  assert.deepEqual(
    receiver.received.map(({ body }) => body),
    notes,
  );
  const [first] = receiver.received;
  assert.equal(first?.path, '/in?project=7');
  assert.equal(first?.headers['content-type'], 'text/plain; charset=utf-8');
  assert.equal(first?.headers['x-countersign-origin'], 'gateway.example/audit/org-1');
  assert.equal(first?.headers['x-countersign-size'], '1000');
  assert.equal(first?.headers.authorization, 'Bearer hook-token');
});

test('a webhook that answers anything but 2xx has not taken it, and a redirect is not followed', async (t) => {
  const receiver = await hook(t);
  const elsewhere = await hook(t);
  for (const status of [500, 404, 429, 302]) {
    receiver.answer((response) => void response.writeHead(status, { location: elsewhere.url }).end());
    const { taken, failure } = await push(webhook(receiver.url));
    assert.equal(taken, 0);
    assert.match(String(failure), new RegExp(`^\`127.0.0.1:\\d+\` answered ${status}$`));
  }
  receiver.answer((response) => void response.writeHead(204).end());
  assert.equal((await push(webhook(receiver.url))).taken, 2);
  assert.equal(elsewhere.received.length, 0);
});

test('a webhook that hangs is given up in its time or at once, and one that never stops answering has taken it', async (t) => {
  const receiver = await hook(t);
  receiver.answer(() => {});
  const began = performance.now();
  assert.match(String((await push(webhook(receiver.url, listed, 100))).failure), /did not answer in time/);
  assert.match(String((await push(webhook(receiver.url), AbortSignal.timeout(50))).failure), /in time/);
  assert.ok(performance.now() - began < 1_500);
  receiver.answer((response) => {
    const write = (): void => void (response.destroyed || response.write(Buffer.alloc(65_536), write));
    response.on('error', () => {});
    write();
  });
  assert.deepEqual(await push(webhook(receiver.url)), { taken: 2, failure: undefined });
});

test('a syslog message is one line of less than 480 bytes, by UDP in a datagram of its own', async (t) => {
  const receiver = await receiveDatagrams();
  t.after(receiver.close);
  assert.deepEqual(await push(syslog(receiver.url)), { taken: 2, failure: undefined });
  assert.ok(await until(() => receiver.messages.length === 2));
  assert.deepEqual(receiver.messages, texts);
  assert.ok(texts.every((line) => Buffer.byteLength(line) < 480));
});

test('over TCP messages are counted in bytes on one connection, and taken when the receiver has closed it', async (t) => {
  const receiver = await stream(t);
  assert.deepEqual(await push(syslog(receiver.url)), { taken: 2, failure: undefined });
  assert.deepEqual(receiver.messages, texts);
});

test('over TLS the same, to a receiver whose certificate is trusted and is for its name', async (t) => {
  const tls = selfSigned();
  const receiver = await stream(t, { tls });
  const refused = await push(syslog(receiver.url));
  assert.equal(refused.taken, 0);
  assert.match(String(refused.failure), /self-signed certificate/);
  setDefaultCACertificates([...getCACertificates('default'), tls.cert]);
  assert.deepEqual(await push(syslog(receiver.url)), { taken: 2, failure: undefined });
  assert.deepEqual(receiver.messages, texts);
});

test('a syslog receiver that does not read to the end, or resets, has taken nothing', async (t) => {
  const silent = await stream(t, { onConnection: (socket) => void socket.pause() });
  const began = performance.now();
  const late = await push(syslog(silent.url, listed, 100));
  assert.equal(late.taken, 0);
  assert.match(String(late.failure), /did not read to the end and close in time/);
  const stopped = await push(syslog(silent.url), AbortSignal.timeout(50));
  assert.equal(stopped.taken, 0);
  assert.ok(performance.now() - began < 1_500);
  const resets = await stream(t, { onConnection: (socket) => void socket.resetAndDestroy() });
  assert.equal((await push(syslog(resets.url))).taken, 0);
  assert.equal((await push(syslog('tcp://127.0.0.1:1'))).taken, 0);
});

test('a receiver at a private address that is not listed gets nothing, and it is said why', async (t) => {
  const receiver = await hook(t);
  const datagrams = await receiveDatagrams();
  t.after(datagrams.close);
  const streams = await stream(t);
  const plain =
    /`127\.0\.0\.1` may not be called without TLS; use (https|tls), or list it in COUNTERSIGN_EGRESS_ALLOW/;
  const anchors = [
    webhook(receiver.url, unlisted),
    syslog(datagrams.url, unlisted),
    syslog(streams.url, unlisted),
  ];
  for (const anchor of anchors) {
    const { taken, failure } = await push(anchor);
    assert.equal(taken, 0);
    assert.match(String(failure), plain);
  }
  const internal = /`\S+` is not on the public internet; list it in COUNTERSIGN_EGRESS_ALLOW to call it/;
  const named = createEgress({ allow: [], lookup: async () => ['10.0.0.7', '169.254.169.254'] });
  assert.match(String((await push(webhook('https://hook.example.com', named))).failure), internal);
  assert.match(String((await push(syslog('tls://logs.example.com', named))).failure), internal);
  assert.deepEqual([receiver.received, datagrams.messages, streams.messages], [[], [], []]);
});

test('a datagram goes to the address that was checked, whatever the name resolves to a moment later', async (t) => {
  const receiver = await receiveDatagrams();
  t.after(receiver.close);
  const answers = [['127.0.0.1'], ['10.0.0.7']];
  const egress = createEgress({ allow: ['127.0.0.1'], lookup: async () => answers.shift() ?? [] });
  const { taken, failure } = await push(syslog(receiver.url.replace('127.0.0.1', 'logs.internal'), egress));
  assert.equal(taken, 1);
  assert.match(String(failure), /`logs\.internal` may not be called without TLS/);
  assert.ok(await until(() => receiver.messages.length === 1));
});
