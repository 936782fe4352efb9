// Owns what tests of the data plane share: a server with two providers of ours behind it, people with keys, raw calls.

import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type FakeProvider, startFakeProvider } from './fake-provider.ts';
import { type Answer, at, startServer, type TestServer, textAt } from './server.ts';

/** An answer as it came over the wire. */
export type RawAnswer = {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly text: string;
  /** The id of the intent entry; fails the test if there is none. */
  readonly record: () => string;
  readonly json: () => unknown;
};

export type Call = {
  readonly method?: string;
  readonly path?: string;
  readonly key?: string | undefined;
  /** Flat: name, value. Repeats are sent as they are. */
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array | object;
  /** Hears each chunk of the answer; `leave` hangs up. */
  readonly onChunk?: (chunk: Buffer, leave: () => void) => void;
};

export type Person = { readonly id: string; readonly key: string; readonly keyId: string };

export type TestGateway = TestServer & {
  readonly provider: FakeProvider;
  readonly providerId: string;
  readonly modelId: string;
  readonly call: (call: Call) => Promise<RawAnswer>;
  /** A management operation that must succeed; its answer's body. */
  readonly must: (method: string, path: string, body?: unknown, key?: string) => Promise<unknown>;
  readonly record: (id: string) => Promise<unknown>;
  readonly person: (name: string, role?: string) => Promise<Person>;
  readonly keyFor: (values: object) => Promise<{ readonly id: string; readonly key: string }>;
  readonly publish: (text: string) => Promise<unknown>;
  /** The store through a second connection, as a neighbour on the same disk would have it. */
  readonly store: (mode: 'read' | 'write') => DatabaseSync;
};

const chatBody = { model: 'm', messages: [{ role: 'user', content: 'hello' }] };

function bytesOf(body: Call['body']): Buffer | undefined {
  if (body === undefined) return undefined;
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  return body instanceof Uint8Array ? Buffer.from(body) : Buffer.from(JSON.stringify(body), 'utf8');
}

function flatHeaders(
  key: string | undefined,
  headers: readonly string[],
  body: Buffer | undefined,
): string[] {
  const flat = ['host', 'gateway.test', ...headers];
  if (key !== undefined) flat.push('authorization', `Bearer ${key}`);
  const names = new Set(headers.map((name) => name.toLowerCase()));
  // As clients do that keep their connections: otherwise Node asks for its end, and no request of a test is plain.
  if (!names.has('connection')) flat.push('connection', 'keep-alive');
  if (body !== undefined && !names.has('content-type')) flat.push('content-type', 'application/json');
  if (body !== undefined) flat.push('content-length', String(body.length));
  return flat;
}

/** Sends one request by hand. A connection that breaks rejects, but for one that the caller leaves. */
export function send(url: string, key: string | undefined, call: Call): Promise<RawAnswer> {
  const { method = 'POST', path = '/v1/chat/completions', headers = [], onChunk } = call;
  const body = bytesOf('body' in call ? call.body : chatBody);
  return new Promise((resolve, reject) => {
    const flat = flatHeaders(key, headers, body);
    const { hostname, port } = new URL(url);
    // The path as it is: a URL would take dot segments out of it.
    const asked = httpRequest({ hostname, port, path, method, headers: flat, agent: false });
    asked.on('error', reject);
    asked.on('response', (response) => {
      const chunks: Buffer[] = [];
      const finish = (): void => {
        const all = Buffer.concat(chunks);
        const seen = Object.fromEntries(
          Object.entries(response.headersDistinct).map(([name, values]) => [name, (values ?? []).join(', ')]),
        );
        const text = all.toString('utf8');
        resolve({
          status: response.statusCode ?? 0,
          headers: seen,
          rawHeaders: response.rawHeaders,
          body: all,
          text,
          record: () => textAt(seen, 'x-countersign-record'),
          json: (): unknown => JSON.parse(text),
        });
      };
      const leave = (): void => {
        asked.destroy();
        finish();
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        onChunk?.(chunk, leave);
      });
      response.on('end', finish);
      response.on('error', finish);
    });
    asked.end(body);
  });
}

async function demand(running: TestServer, method: string, path: string, body?: unknown, key?: string) {
  const answer: Answer = await running.api(method, path, body, key);
  if (answer.status > 299)
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Registers the fake provider as `fake` (model `m`) and as `claude` (kind anthropic, model `c`). */
async function register(running: TestServer, origin: string) {
  const fake = { name: 'fake', kind: 'openai_compatible', baseUrl: origin, apiKey: 'sk-fake-provider-key' };
  const providerId = textAt(await demand(running, 'POST', '/providers', fake), 'id');
  const model = { name: 'm', providerId, upstreamName: 'm' };
  const modelId = textAt(await demand(running, 'POST', '/models', model), 'id');
  const claude = { name: 'claude', kind: 'anthropic', baseUrl: origin, apiKey: 'sk-ant-provider-key' };
  const claudeId = textAt(await demand(running, 'POST', '/providers', claude), 'id');
  await demand(running, 'POST', '/models', { name: 'c', providerId: claudeId });
  return { providerId, modelId };
}

/** A server, the providers behind it, and the ways to call it. `stop` ends all of it. */
export async function startGateway(): Promise<TestGateway> {
  const provider = await startFakeProvider();
  const running = await startServer({ env: { COUNTERSIGN_EGRESS_ALLOW: '127.0.0.1' } });
  const ids = await register(running, provider.origin);
  const must = (method: string, path: string, body?: unknown, key?: string) =>
    demand(running, method, path, body, key);
  async function keyFor(values: object) {
    const made = await must('POST', '/keys', { name: 'k', workspaceId: running.workspaceId, ...values });
    return { id: textAt(made, 'id'), key: textAt(made, 'key') };
  }
  return {
    ...running,
    ...ids,
    provider,
    must,
    keyFor,
    call: (call) => send(running.url, 'key' in call ? call.key : running.modelsKey, call),
    record: (id) => must('GET', `/records/${id}`),
    async person(name, role = 'member') {
      const { workspaceId } = running;
      const made = await must('POST', '/users', { email: `${name}@example.com`, name, role, workspaceId });
      const id = textAt(made, 'id');
      const key = await keyFor({ name: `${name}-key`, principalId: id });
      return { id, key: key.key, keyId: key.id };
    },
    publish: (text) => must('PUT', '/policy', { text }),
    store: (mode) =>
      new DatabaseSync(join(running.directory, 'countersign.db'), {
        readOnly: mode === 'read',
        timeout: 5_000,
      }),
    stop: async (log) => {
      try {
        return await running.stop(log);
      } finally {
        await provider.close();
      }
    },
  };
}

/** The code of a refusal in either dialect. */
export function codeOf(answer: RawAnswer): string {
  const body = answer.json();
  const code = at(body, 'error.code');
  if (typeof code === 'string') return code;
  const [first = ''] = textAt(body, 'error.message').split(':');
  return first;
}

/** Waits until something is so, at most `ms`; false if it never was. */
export async function until(isSo: () => boolean | Promise<boolean>, ms = 3_000): Promise<boolean> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    if (await isSo()) return true;
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  return isSo();
}
