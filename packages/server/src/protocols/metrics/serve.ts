// Owns `/metrics`: Prometheus text for whoever is permitted.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '@countersign/core/errors';
import type { RequestId } from '@countersign/core/ids';
import { metricsContentType, type Registry } from '../../platform/metrics/registry.ts';

export type MetricsFace = {
  readonly metrics: Registry;
  /** Rejects unless the caller may read metrics. */
  readonly permit: (request: IncomingMessage, requestId: RequestId) => Promise<unknown>;
  readonly refuse: (response: ServerResponse, error: AppError, requestId: RequestId) => void;
  readonly newRequestId: () => RequestId;
};

/** Serves `/metrics`; false for any other path. */
export function serveMetricsPath(
  face: MetricsFace,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (request.url !== '/metrics' || request.method !== 'GET') return false;
  const requestId = face.newRequestId();
  face.permit(request, requestId).then(
    () => {
      response.writeHead(200, { 'content-type': metricsContentType, 'x-request-id': requestId });
      response.end(face.metrics.render());
    },
    (error: unknown) => {
      const known = error instanceof AppError ? error : new AppError('internal', 'something went wrong here');
      face.refuse(response, known, requestId);
    },
  );
  return true;
}
