// Owns Countersign with its ledger off, as a server of the benchmark.
// It is told where to listen and where the store lies as the product is: COUNTERSIGN_LISTEN, COUNTERSIGN_DATA_DIR.

import { healthFace, inferenceFace } from '@countersign/server/compose/data-faces';
import { createHttpServer } from '@countersign/server/compose/http-server';
import { serveCall } from '@countersign/server/gateway/serve-call';
import { openWithoutLedger } from './without-ledger.ts';

const { config, gateway, close } = await openWithoutLedger();
const faces = [healthFace(() => true), inferenceFace(config, gateway, serveCall(gateway.deps))];
const listen = { ...config.listen, variable: 'COUNTERSIGN_LISTEN', serves: 'all' } as const;
const server = createHttpServer(config, undefined, listen, faces, gateway.newRequestId);
await server.listen();
process.once('SIGTERM', () => {
  server.server.closeAllConnections();
  void close().finally(() => process.exit(0));
});
