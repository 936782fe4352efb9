// Owns a call's own steps in a loop: everything of the data plane but sockets, the provider and the ledger.
// usage: node bench/own-steps.ts KEY_LINES BODY, beside what ledger-off.ts is told. Prints a line of JSON.

import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { type Endpoint, matchEndpoint } from '@countersign/core/dialects/endpoints';
import type { Gateway } from '@countersign/server/compose/gateway';
import type { InboundCall, Reply } from '@countersign/server/gateway/call';
import { serveCall } from '@countersign/server/gateway/serve-call';
import type { Upstream } from '@countersign/server/upstreams/upstream';
import { openWithoutLedger } from './without-ledger.ts';

/** Calls at a time, and how long one measurement takes; the first ones warm the code up. */
const atOnce = 64;
const measureMs = 2_000;
const warmUps = 3;
const measurements = 5;

const answerHeaders = ['content-type', 'application/json', 'x-request-id', 'req_mock'];
const answer = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-mock',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'mock',
    choices: [
      { index: 0, message: { role: 'assistant', content: 'word '.repeat(150) }, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 200, completion_tokens: 150, total_tokens: 350 },
  }),
);

/** Answers in the next turn of the event loop. */
const upstream: Upstream = {
  send(_request, handler) {
    setImmediate(() => {
      handler.onHeaders(200, answerHeaders);
      handler.onData(Buffer.from(answer));
      handler.onEnd();
    });
    return { abort: () => {}, pause: () => {}, resume: () => {} };
  },
};

function callOf(gateway: Gateway, endpoint: Endpoint, authorization: string, body: Buffer): InboundCall {
  const headers = new Map([
    ['host', '127.0.0.1'],
    ['authorization', authorization],
    ['content-type', 'application/json'],
    ['content-length', String(body.length)],
  ]);
  return {
    requestId: gateway.newRequestId(),
    receivedMs: Date.now(),
    receivedAt: performance.now(),
    endpoint,
    method: 'POST',
    query: '',
    rawHeaders: [...headers].flat(),
    address: '127.0.0.1',
    header: (name) => headers.get(name),
    readBody: () => Promise.resolve(Buffer.from(body)),
    onGone: () => {},
  };
}

/** Ends the process at the first answer that is not a good one: what is measured would be something else. */
function replyTo(resolve: () => void): Reply {
  const fail = (error: Error): void => {
    throw error;
  };
  return {
    refuse: fail,
    fail,
    hasHead: () => false,
    head: () => {},
    write: () => true,
    onDrain: () => {},
    end: resolve,
    isGone: () => false,
  };
}

/** A number generator of Park and Miller: the callers of every run come in the same order. */
function createOrder(size: number): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state % size;
  };
}

type Measured = { readonly callsPerSecond: number; readonly microsEach: number };

async function run(keyLines: string, bodyPath: string): Promise<readonly Measured[]> {
  const { gateway, close } = await openWithoutLedger();
  const serve = serveCall({ ...gateway.deps, upstreamOf: () => upstream });
  const matched = matchEndpoint('POST', '/v1/chat/completions');
  if (matched.kind !== 'endpoint') throw new Error('the path of the benchmark is none of the product');
  const { endpoint } = matched;
  const body = readFileSync(bodyPath);
  const keys = readFileSync(keyLines, 'utf8').trim().split('\n');
  const next = createOrder(keys.length);

  function one(): Promise<void> {
    const authorization = (keys[next()] ?? '').replace('authorization: ', '');
    return new Promise((resolve) => {
      void serve(callOf(gateway, endpoint, authorization, body), replyTo(resolve));
    });
  }

  async function measure(): Promise<Measured> {
    let calls = 0;
    const started = performance.now();
    const before = process.cpuUsage();
    async function caller(): Promise<void> {
      while (performance.now() < started + measureMs) {
        await one();
        calls += 1;
      }
    }
    await Promise.all(Array.from({ length: atOnce }, caller));
    const { user, system } = process.cpuUsage(before);
    const seconds = (performance.now() - started) / 1_000;
    return { callsPerSecond: calls / seconds, microsEach: (user + system) / calls };
  }

  for (let i = 0; i < warmUps; i += 1) await measure();
  const measured: Measured[] = [];
  for (let i = 0; i < measurements; i += 1) measured.push(await measure());
  await close();
  return measured;
}

const [keyLines, bodyPath] = process.argv.slice(2);
if (keyLines === undefined || bodyPath === undefined) throw new Error('name the file of keys and the body');
process.stdout.write(`${JSON.stringify(await run(keyLines, bodyPath))}\n`, () => process.exit(0));
