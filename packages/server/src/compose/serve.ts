// Owns the running server: store, data plane, administration, listeners, and the order in which they end.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { metricsRead } from '@countersign/contract/evidence-operations';
import { openApi } from '@countersign/contract/openapi';
import { operations } from '@countersign/contract/operations';
import { serveCall } from '../gateway/serve-call.ts';
import type { Config } from '../platform/config/schema.ts';
import { openClientPool } from '../platform/egress/client-pool.ts';
import { createEgress } from '../platform/egress/egress.ts';
import { clientAddress, compileTrustedProxies } from '../platform/http/client-address.ts';
import type { Log } from '../platform/log/log.ts';
import { createRegistry } from '../platform/metrics/registry.ts';
import type { Shutdown } from '../platform/shutdown/shutdown.ts';
import { serveHealthPath } from '../protocols/health/serve.ts';
import { serveInferencePath } from '../protocols/inference/serve.ts';
import { sendProblem } from '../protocols/manage/problem.ts';
import { createManageFace } from '../protocols/manage/serve.ts';
import { serveMetricsPath } from '../protocols/metrics/serve.ts';
import { serveSetupPath } from '../protocols/setup/serve.ts';
import type { OrgBatch } from '../services/ledger/batch.ts';
import { createRecorder } from '../services/ledger/recorder.ts';
import type { Step } from '../services/snapshot/snapshots.ts';
import { type CallsUnderWay, trackCalls } from './calls-under-way.ts';
import { composeGateway, type Gateway } from './gateway.ts';
import { createHttpServer, type Face } from './http-server.ts';
import { composeManager } from './manager.ts';
import { initFirst, openStore, type Store } from './store.ts';
import { composeTokens } from './tokens.ts';
import { productVersion } from './version.ts';

export type Server = {
  /** Where it listens: `http://host:port`. */
  readonly url: string;
  /** The one-time set-up link, while there is no organization. */
  readonly setupUrl: string | undefined;
  readonly store: Store;
  readonly gateway: Gateway;
};

const refusalsMs = 1_000;
const closeMs = 15_000;
/** What the last bytes of answers get to reach their clients. */
const lastBytesMs = 2_000;

type Setup = {
  readonly isOpen: (token: string) => boolean;
  readonly token: string | undefined;
  readonly done: () => void;
};

/** The set-up token: kept as a digest in memory, made anew at each start on an empty store. */
function createSetup(store: Store): Setup {
  const token = store.threads.installation.hasOrganization
    ? undefined
    : randomBytes(24).toString('base64url');
  const digest = (text: string) => createHash('sha256').update(text).digest();
  let expected = token === undefined ? undefined : digest(token);
  return {
    token,
    isOpen: (given) => expected !== undefined && timingSafeEqual(digest(given), expected),
    done: () => {
      expected = undefined;
    },
  };
}

/** Made when it is first asked for: the document costs more than all the rest of a start. */
function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

type Faces = {
  readonly config: Config;
  readonly store: Store;
  readonly gateway: Gateway;
  readonly calls: CallsUnderWay;
  readonly setup: Setup;
  readonly shutdown: Shutdown;
  readonly metrics: ReturnType<typeof createRegistry>;
  readonly log: Log;
};

function composeFaces(parts: Faces): {
  readonly data: readonly Face[];
  readonly management: readonly Face[];
} {
  const { config, store, gateway, setup, shutdown, metrics, log } = parts;
  const trusted = compileTrustedProxies({ cidrs: config.trustedProxies, hops: config.trustedProxyHops });
  const addressOf = (request: IncomingMessage) =>
    clientAddress(request.socket.remoteAddress, request.rawHeaders, trusted);
  const { newRequestId, deps } = gateway;
  const onError = (error: unknown, requestId: string): void =>
    log.error({ error, requestId }, 'a request failed');
  const health: Face = (request, response) =>
    serveHealthPath({ isReady: shutdown.isReady }, request, response);
  const inference = {
    serve: parts.calls.serve,
    newRequestId,
    addressOf,
    bodyLimit: config.bodyLimitBytes,
    now: deps.now,
    clock: deps.clock,
  };
  const document = lazy(() =>
    JSON.stringify(openApi(operations, { serverUrl: config.publicUrl, version: productVersion })),
  );
  const manager = composeManager(store, gateway, metrics);
  const manage = createManageFace({
    manager,
    operations,
    openApi: document,
    newRequestId,
    addressOf,
    onError,
  });
  const setupFace: Face = (request, response) =>
    serveSetupPath(
      {
        isOpen: setup.isOpen,
        baseUrl: () => config.publicUrl,
        init: async (_token, values) => {
          const made = await initFirst(store, {
            slug: values.slug,
            ownerEmail: values.email,
            ownerName: values.name,
          });
          setup.done();
          return made;
        },
      },
      request,
      response,
    );
  const metricsFace: Face = (request, response) =>
    serveMetricsPath(
      {
        metrics,
        newRequestId,
        refuse: sendProblem,
        permit: (asked, requestId) =>
          manager.permit({
            operation: metricsRead,
            requestId,
            rawHeaders: asked.rawHeaders,
            address: addressOf(asked),
            idempotencyKey: undefined,
          }),
      },
      request,
      response,
    );
  const data: Face = (request, response) => serveInferencePath(inference, request, response);
  return { data: [health, data], management: [health, manage, metricsFace, setupFace] };
}

/** The memory that a batch hands over to the writer: moved, not copied. */
function buffersOf(batches: readonly OrgBatch[]): ArrayBuffer[] {
  return batches.flatMap(({ bundle }) => (bundle.buffer instanceof ArrayBuffer ? [bundle.buffer] : []));
}

/**
 * Opens the store, composes the server over it and listens. `shutdown` learns how to end each part; `onDeath` hears
 * that the store has ended by itself, after which the process is of no use.
 */
export async function serve(
  config: Config,
  log: Log,
  shutdown: Shutdown,
  onDeath: () => void = () => void shutdown.begin('a storage thread has ended'),
): Promise<Server> {
  let gateway: Gateway | undefined;
  let calls: CallsUnderWay | undefined;
  const missed: Step[] = [];
  const store = await openStore(config, {
    onStep: (step) => (gateway === undefined ? missed.push(step) : gateway.onStep(step)),
    onDeath: (error) => {
      log.fatal({ error }, 'a storage thread has ended: stopping');
      // No outcome can be recorded any more: what runs must not run on until the drain's limit.
      calls?.cut();
      onDeath();
    },
  });
  shutdown.add({ name: 'store', phase: 'close', limitMs: closeMs, close: () => store.close(closeMs) });
  if (store.masterKeys.made !== undefined) {
    log.warn(
      { file: store.masterKeys.made },
      'made a master key: back it up, without it nothing sealed can be opened',
    );
  }
  const metrics = createRegistry();
  const egress = createEgress({ allow: config.egressAllow });
  const pool = openClientPool({ egress });
  shutdown.add({ name: 'upstream connections', phase: 'close', limitMs: closeMs, close: () => pool.close() });
  const recorder = createRecorder({
    commit: (batches) => store.threads.writer.call('commit', batches, buffersOf(batches)),
    maxBatch: 256,
    maxWaiting: 20_000,
    onFailure: (error, entries) => log.error({ error, entries }, 'entries could not be recorded'),
  });
  const composed = composeGateway({
    threads: store.threads,
    recorder,
    pool,
    masterKeys: store.masterKeys.keys,
    verifyToken: composeTokens({
      threads: store.threads,
      fetchDocument: egress.fetchDocument,
      log,
      now: Date.now,
      clock: () => performance.now(),
    }),
    log,
    metrics,
    node: config.nodeName,
    boot: store.boot,
  });
  gateway = composed;
  const tracked = trackCalls(serveCall(composed.deps), composed.deps.activeCalls);
  calls = tracked;
  shutdown.add({
    name: 'ledger',
    phase: 'flush',
    limitMs: closeMs,
    close: () => tracked.ended().then(recorder.idle),
  });
  for (const step of missed) composed.onStep(step);
  const timer = setInterval(
    () =>
      composed.refusals.flush().catch((error: unknown) => log.error({ error }, 'refusals were not recorded')),
    refusalsMs,
  );
  shutdown.add({
    name: 'refused credentials',
    phase: 'drain',
    limitMs: closeMs,
    close: async () => {
      clearInterval(timer);
      await composed.refusals.flush();
    },
  });
  const setup = createSetup(store);
  const faces = composeFaces({
    config,
    store,
    gateway: composed,
    calls: tracked,
    setup,
    shutdown,
    metrics,
    log,
  });
  const { managementListen } = config;
  const all = managementListen === undefined ? [...faces.management, ...faces.data] : faces.data;
  const address = await open(config, config.listen, all, tracked, composed, shutdown, 'requests');
  const managementAddress =
    managementListen === undefined
      ? address
      : await open(config, managementListen, faces.management, tracked, composed, shutdown, 'management');
  const scheme = config.tlsCertFile === undefined ? 'http' : 'https';
  const url = `${scheme}://${address}`;
  const managementUrl = `${scheme}://${managementAddress}`;
  return {
    url,
    setupUrl: setup.token === undefined ? undefined : `${managementUrl}/setup?token=${setup.token}`,
    store,
    gateway: composed,
  };
}

async function open(
  config: Config,
  listen: Config['listen'],
  faces: readonly Face[],
  calls: CallsUnderWay,
  gateway: Gateway,
  shutdown: Shutdown,
  name: string,
): Promise<string> {
  const http = createHttpServer(config, listen, faces, gateway.newRequestId);
  const address = await http.listen();
  shutdown.add({
    name,
    phase: 'drain',
    limitMs: config.drainTimeoutMs,
    close: (signal) => {
      signal.addEventListener('abort', calls.cut);
      return http.drain();
    },
  });
  shutdown.add({ name: `${name}' connections`, phase: 'close', limitMs: lastBytesMs, close: http.close });
  return address;
}
