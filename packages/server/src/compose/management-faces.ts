// Owns the faces of administration: the operations of the contract, their description, metrics.

import { metricsRead } from '@countersign/contract/evidence-operations';
import { openApi } from '@countersign/contract/openapi';
import { operations } from '@countersign/contract/operations';
import type { Config } from '../platform/config/schema.ts';
import type { Log } from '../platform/log/log.ts';
import type { Registry } from '../platform/metrics/registry.ts';
import { documentPaths, serveDocumentPath } from '../protocols/manage/document.ts';
import { sendProblem } from '../protocols/manage/problem.ts';
import { createManageFace } from '../protocols/manage/serve.ts';
import { type MetricsFace, serveMetricsPath } from '../protocols/metrics/serve.ts';
import { addressReader } from './data-faces.ts';
import type { Face } from './face.ts';
import type { Gateway } from './gateway.ts';
import { composeManager } from './manager.ts';
import type { Store } from './store.ts';
import { productVersion } from './version.ts';

export type ManagementParts = {
  readonly config: Config;
  readonly store: Store;
  readonly gateway: Gateway;
  readonly metrics: Registry;
  readonly log: Log;
};

/** Made when it is first asked for: the document costs more than all the rest of a start. */
function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function documentFace({ managementPublicUrl }: Config): Face {
  const document = lazy(() =>
    JSON.stringify(openApi(operations, { serverUrl: managementPublicUrl, version: productVersion })),
  );
  return {
    name: 'openapi',
    guard: 'open',
    paths: documentPaths,
    serve: (request, response) => serveDocumentPath(document, request, response),
  };
}

/** Metrics: with a management key, or for whoever reaches the address that management has for itself. */
function metricsFace({ managementListen }: Config, parts: MetricsFace): Face {
  const name = 'metrics';
  if (managementListen === undefined)
    return {
      name,
      guard: 'credential',
      serve: (request, response) => serveMetricsPath(parts, request, response),
    };
  const open: MetricsFace = { ...parts, permit: async () => {} };
  return {
    name,
    guard: 'management-address',
    paths: ['/metrics'],
    serve: (request, response) => serveMetricsPath(open, request, response),
  };
}

/** The faces that take management keys, and the description of the API, which tells nothing of this server. */
export function managementFaces({ config, store, gateway, metrics, log }: ManagementParts): readonly Face[] {
  const { newRequestId } = gateway;
  const addressOf = addressReader(config);
  const manager = composeManager(store, gateway, metrics);
  const manage = createManageFace({
    manager,
    operations,
    newRequestId,
    addressOf,
    onError: (error, requestId) => log.error({ error, requestId }, 'a request failed'),
  });
  const metricsParts: MetricsFace = {
    metrics,
    newRequestId,
    refuse: sendProblem,
    permit: (asked, requestId) =>
      manager.permit({
        operation: metricsRead,
        requestId,
        rawHeaders: asked.rawHeaders,
        address: addressOf(asked.socket.remoteAddress, asked.rawHeaders),
        userAgent: asked.headers['user-agent'],
        idempotencyKey: undefined,
        path: {},
      }),
  };
  return [
    documentFace(config),
    { name: 'management', guard: 'credential', serve: manage },
    metricsFace(config, metricsParts),
  ];
}
