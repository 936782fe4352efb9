// Claims about the server that serves TLS itself: calls are governed over it, nothing else is let in, and a bad start is explained.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect as connectPlainly } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import type { Initialized } from '@countersign/server/control/init-organization';
import { selfSigned } from '../support/certificate.ts';
import { textAt } from '../support/server.ts';
import {
  initProcessStore,
  processEnv,
  runServer,
  type ServerProcess,
  startProcess,
} from '../support/server-process.ts';

const headerTimeoutMs = 1_000;
const directory = mkdtempSync(join(tmpdir(), 'countersign-tls-'));
const files = {
  cert: join(directory, 'cert.pem'),
  key: join(directory, 'key.pem'),
  other: join(directory, 'other.pem'),
};
const own = selfSigned();
const env = processEnv(join(directory, 'store'), {
  COUNTERSIGN_TLS_CERT_FILE: files.cert,
  COUNTERSIGN_TLS_KEY_FILE: files.key,
  COUNTERSIGN_HEADER_TIMEOUT_MS: String(headerTimeoutMs),
});
/** Flags under which Node by itself would take part in TLS 1.0 and 1.1. */
const lax = ['--tls-min-v1.0', '--tls-cipher-list=DEFAULT@SECLEVEL=0'];
let server: ServerProcess;
let keys: Initialized;

before(async () => {
  writeFileSync(files.cert, own.cert);
  writeFileSync(files.key, own.key);
  writeFileSync(files.other, selfSigned().key);
  keys = await initProcessStore(env);
  server = await startProcess({ env, flags: lax });
});
after(async () => {
  await server.kill();
  rmSync(directory, { recursive: true, force: true });
});

/** One request over HTTPS that trusts the test's certificate and no other. */
function ask(method: string, path: string, key: string, body?: unknown) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    readonly status: number;
    readonly record: string;
    readonly json: unknown;
  }>();
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const sent = request(
    `${server.url}${path}`,
    { method, ca: own.cert, headers, agent: false },
    (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        const json: unknown = JSON.parse(text);
        const record = String(response.headers['x-countersign-record'] ?? '');
        resolve({ status: response.statusCode ?? 0, record, json });
      });
    },
  );
  sent.on('error', reject);
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}

/** The protocol that a handshake ends with, or the code of its failure. */
function shakeHands(options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: server.port, ca: own.cert, ...options });
    socket.once('secureConnect', () => {
      resolve(socket.getProtocol() ?? 'none');
      socket.destroy();
    });
    socket.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
  });
}

/** What a connection without TLS hears until it is closed, and after how long that was. */
function speakPlainly(text: string): Promise<{ readonly said: string; readonly ms: number }> {
  const begun = performance.now();
  return new Promise((resolve) => {
    const socket = connectPlainly(server.port, '127.0.0.1');
    let said = '';
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.once('close', () => resolve({ said, ms: performance.now() - begun }));
    socket.write(text);
  });
}

test('a call over HTTPS is governed: decided, answered and on the record', async () => {
  assert.match(server.url, /^https:/);
  const call = { model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] };
  const answered = await ask('POST', '/v1/chat/completions', keys.modelsKey, call);
  assert.equal(answered.status, 200, JSON.stringify(answered.json));
  const record = await ask('GET', `/api/v1/records/${answered.record}`, keys.managementKey);
  assert.equal(textAt(record.json, 'status'), 'ok');
  const refused = await ask('POST', '/v1/chat/completions', 'nobody', call);
  assert.equal(refused.status, 401);
});

test('plain HTTP on the port of TLS gets no answer', { timeout: 30_000 }, async () => {
  const { said } = await speakPlainly(
    `GET /healthz HTTP/1.1\r\nhost: gateway.test\r\nauthorization: Bearer ${keys.managementKey}\r\n\r\n`,
  );
  assert.ok(!said.includes('HTTP/'), said);
  assert.ok(!said.includes('alive'), said);
});

test('a connection that never shakes hands is closed when a head would have been due', {
  timeout: 30_000,
}, async () => {
  const { ms } = await speakPlainly('');
  assert.ok(ms < headerTimeoutMs + 1_500, `it was held for ${ms} ms`);
});

test('TLS 1.2 and 1.3 are spoken, and nothing older whatever flags Node was started with', async () => {
  const old = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  assert.match(await shakeHands({ ...old, maxVersion: 'TLSv1' }), /ALERT|PROTOCOL/);
  assert.match(await shakeHands({ ...old, maxVersion: 'TLSv1.1' }), /ALERT|PROTOCOL/);
  assert.equal(await shakeHands({ ...old, maxVersion: 'TLSv1.2' }), 'TLSv1.2');
  assert.equal(await shakeHands({}), 'TLSv1.3');
});

const badStarts = [
  {
    what: 'a key that is not there',
    env: { COUNTERSIGN_TLS_KEY_FILE: join(directory, 'none.pem') },
    says: /`tlsKeyFile` \(COUNTERSIGN_TLS_KEY_FILE\): `.*none\.pem` cannot be read \(ENOENT\); check the path/,
  },
  {
    what: 'a certificate that is not there',
    env: { COUNTERSIGN_TLS_CERT_FILE: join(directory, 'none.pem') },
    says: /`tlsCertFile` \(COUNTERSIGN_TLS_CERT_FILE\): `.*none\.pem` cannot be read \(ENOENT\); check the path/,
  },
  {
    what: 'the key of another certificate',
    env: { COUNTERSIGN_TLS_KEY_FILE: files.other },
    says: /`.*other\.pem` is not the key of the first certificate in `.*cert\.pem`; give the two that belong together/,
  },
  {
    what: 'a key where the certificate should be',
    env: { COUNTERSIGN_TLS_CERT_FILE: files.key },
    says: /`.*key\.pem` holds no certificate in PEM; give the chain/,
  },
  {
    what: 'a certificate where the key should be',
    env: { COUNTERSIGN_TLS_KEY_FILE: files.cert },
    says: /`.*cert\.pem` holds no private key in PEM; give the certificate's key, without a passphrase/,
  },
  {
    what: 'a certificate without a key',
    env: { COUNTERSIGN_TLS_KEY_FILE: '' },
    says: /`tlsKeyFile`/,
  },
];
for (const { what, env: wrong, says } of badStarts) {
  test(`${what} stops the start with a sentence, before a store is made`, async (t) => {
    const folder = join(directory, 'never-made');
    const started = runServer({ env: { ...env, COUNTERSIGN_DATA_DIR: folder, ...wrong } });
    t.after(started.kill);
    assert.deepEqual(await started.ended, { code: 1, signal: null });
    const said = started.lines.join('\n');
    assert.match(said, says);
    assert.ok(!said.includes('    at '), `no trace of the stack: ${said}`);
    assert.ok(!said.includes('BEGIN'), 'nothing of the files');
    assert.throws(() => rmSync(folder, { recursive: true }), { code: 'ENOENT' });
  });
}
