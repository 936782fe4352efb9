// Owns the claims about whom the dialer dials: what was checked and nothing else, within its time.

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer, type Server, Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createEgress, type Egress, type Lookup } from './egress.ts';

/** A server on 127.0.0.1 that hands on what each connection says first; closed at the test's end. */
async function listen(
  t: TestContext,
  onBytes: (bytes: Buffer, socket: Socket) => void = () => {},
): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (bytes) => onBytes(bytes, socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

/** Gathers the addresses to which this process tries to connect, whoever asks. */
function watchAttempts(t: TestContext): readonly string[] {
  const attempts: string[] = [];
  const onSocket = (message: unknown): void => {
    if (typeof message !== 'object' || message === null || !('socket' in message)) return;
    if (message.socket instanceof Socket) message.socket.on('connectionAttempt', (ip) => attempts.push(ip));
  };
  subscribe('net.client.socket', onSocket);
  t.after(() => unsubscribe('net.client.socket', onSocket));
  return attempts;
}

function connect(egress: Egress, url: string, timeoutMs = 2_000): Promise<Socket> {
  const { hostname, protocol, port, host } = new URL(url);
  return dialRaw(egress, { hostname, protocol, port, host }, timeoutMs);
}

function dialRaw(
  egress: Egress,
  options: { hostname: string; protocol: string; port: string; host: string },
  timeoutMs = 2_000,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    egress.connector(timeoutMs)(options, (...[error, socket]) => {
      if (error !== null) reject(error);
      else {
        socket.destroy();
        resolve(socket);
      }
    });
  });
}

/** Answers each question with the next list, and the last one for ever. */
function answering(...answers: readonly (readonly string[])[]): Lookup & { asked: () => readonly string[] } {
  const names: string[] = [];
  const lookup = async (name: string): Promise<readonly string[]> => {
    names.push(name);
    return answers[Math.min(names.length, answers.length) - 1] ?? [];
  };
  return Object.assign(lookup, { asked: () => names });
}

const forbidden = { name: 'EgressError', kind: 'forbidden' };

test('a name that resolves to private addresses is not dialled', async (t) => {
  const attempts = watchAttempts(t);
  const private4 = ['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', '::ffff:127.0.0.1', 'fd00:ec2::254'];
  for (const address of private4) {
    const egress = createEgress({ allow: [], lookup: answering([address]) });
    await assert.rejects(connect(egress, 'https://api.example.com'), forbidden, address);
  }
  assert.deepEqual(attempts, []);
});

test('of a mixed answer the private address is never dialled', async (t) => {
  const port = await listen(t);
  const attempts = watchAttempts(t);
  const lookup = answering(['10.0.0.7', '169.254.169.254', '127.0.0.1', '127.0.0.2']);
  await connect(createEgress({ allow: ['127.0.0.1'], lookup }), `http://api.example.com:${port}`);
  assert.deepEqual(attempts, ['127.0.0.1']);
});

test('a name that is bound anew after the check does not move the connection', async (t) => {
  const port = await listen(t);
  const attempts = watchAttempts(t);
  const lookup = answering(['127.0.0.1'], ['10.0.0.7']);
  const egress = createEgress({ allow: ['127.0.0.1'], lookup });
  const url = `http://api.example.com:${port}`;
  await connect(egress, url);
  assert.deepEqual(lookup.asked(), ['api.example.com']);
  assert.deepEqual(attempts, ['127.0.0.1']);
  await assert.rejects(connect(egress, url), forbidden);
  assert.deepEqual(attempts, ['127.0.0.1']);
});

test('the next checked address is dialled when one fails', async (t) => {
  const port = await listen(t);
  const attempts = watchAttempts(t);
  const lookup = answering(['127.0.0.9', '127.0.0.9', '127.0.0.1']);
  await connect(createEgress({ allow: ['127.0.0.0/8'], lookup }), `http://api.example.com:${port}`);
  assert.deepEqual(attempts, ['127.0.0.9', '127.0.0.1']);
});

test('numbers that resolvers take for addresses are refused and never looked up', async () => {
  const lookup = answering(['127.0.0.1']);
  const egress = createEgress({ allow: ['127.0.0.1'], lookup });
  for (const hostname of ['2130706433', '0x7f.1', '0177.0.0.1', '127.1']) {
    const options = { hostname, host: hostname, protocol: 'https:', port: '' };
    await assert.rejects(dialRaw(egress, options), forbidden, hostname);
  }
  assert.deepEqual(lookup.asked(), []);
});

test('a URL that hides an address in a number reaches nothing', async (t) => {
  const attempts = watchAttempts(t);
  const egress = createEgress({ allow: [], lookup: answering(['127.0.0.1']) });
  for (const host of ['2130706433', '0x7f000001', '017700000001', '127.1', '[::ffff:7f00:1]', '[::1]']) {
    await assert.rejects(connect(egress, `https://${host}/`), forbidden, host);
  }
  assert.deepEqual(attempts, []);
});

test('localhost is loopback without a question, and needs to be listed', async (t) => {
  const port = await listen(t);
  const lookup = answering(['8.8.8.8']);
  for (const host of ['localhost', 'LOCALHOST.', 'a.localhost']) {
    await assert.rejects(
      connect(createEgress({ allow: [], lookup }), `https://${host}:${port}`),
      forbidden,
      host,
    );
  }
  await connect(createEgress({ allow: ['localhost'], lookup }), `http://localhost:${port}`);
  assert.deepEqual(lookup.asked(), []);
});

test('plain http is refused even to a public address, unless it is listed', async (t) => {
  const attempts = watchAttempts(t);
  const lookup = answering(['8.8.8.8']);
  await assert.rejects(connect(createEgress({ allow: [], lookup }), 'http://api.example.com'), forbidden);
  const options = { hostname: 'a.example.com', host: 'a.example.com', protocol: 'ftp:', port: '' };
  await assert.rejects(dialRaw(createEgress({ allow: ['a.example.com'], lookup }), options), forbidden);
  assert.deepEqual(attempts, []);
});

test('an entry with a port opens that port only', async (t) => {
  const port = await listen(t);
  const lookup = answering(['127.0.0.1']);
  const egress = createEgress({ allow: [`ollama.internal:${port}`], lookup });
  await connect(egress, `http://Ollama.Internal.:${port}`);
  await assert.rejects(connect(egress, `http://ollama.internal:${port + 1}`), forbidden);
  await assert.rejects(connect(egress, `http://other.internal:${port}`), forbidden);
  await assert.rejects(connect(egress, `http://127.0.0.1:${port}`), forbidden);
});

test('a name that never resolves and a handshake that never ends are cut at the limit', async (t) => {
  const timeout = { code: 'UND_ERR_CONNECT_TIMEOUT' };
  const silent = createEgress({ allow: ['a.internal'], lookup: () => new Promise(() => {}) });
  await assert.rejects(connect(silent, 'http://a.internal', 30), timeout);
  const port = await listen(t);
  const egress = createEgress({ allow: ['a.internal'], lookup: answering(['127.0.0.1']) });
  await assert.rejects(connect(egress, `https://a.internal:${port}`, 60), timeout);
});

test('TLS names the host as the URL has it, and offers HTTP/1.1 alone', async (t) => {
  let hello = '';
  const port = await listen(t, (bytes, socket) => {
    hello = bytes.toString('latin1');
    socket.destroy();
  });
  const egress = createEgress({ allow: ['127.0.0.1'], lookup: answering(['127.0.0.1']) });
  await assert.rejects(connect(egress, `https://api.example.com:${port}`));
  assert.match(hello, /api\.example\.com/);
  // RFC 7301 section 3.1: the list's length, then each name after its own.
  assert.ok(hello.includes('\x00\x09\x08http/1.1'));
});

test('a failed lookup is told as it is', async () => {
  const lookup = () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
  await assert.rejects(connect(createEgress({ allow: [], lookup }), 'https://a.example.com'), {
    code: 'ENOTFOUND',
  });
});
