// Owns the running server: store, data plane, administration, and the addresses that it listens on.

import { isWildcard } from '../platform/config/fields.ts';
import type { Config } from '../platform/config/schema.ts';
import { createEgress } from '../platform/egress/egress.ts';
import type { Log } from '../platform/log/log.ts';
import { createRegistry } from '../platform/metrics/registry.ts';
import type { Closer, Shutdown } from '../platform/shutdown/shutdown.ts';
import type { Step } from '../services/snapshot/snapshots.ts';
import { type Anchors, composeAnchors } from './anchors.ts';
import { composeCosigning } from './cosigning.ts';
import { healthFace, inferenceFace } from './data-faces.ts';
import { composeDataPlane, type DataPlane } from './data-plane.ts';
import type { Face } from './face.ts';
import type { Gateway } from './gateway.ts';
import { createHttpServer, type Listen } from './http-server.ts';
import { reportLogChecks } from './log-check-report.ts';
import { managementFaces } from './management-faces.ts';
import { readWitnesses } from './read-witnesses.ts';
import { createSetup, setupFace } from './setup.ts';
import type { Hearing } from './start-threads.ts';
import { openStore, type Store } from './store.ts';
import { countFaults, logFaults } from './thread-faults.ts';
import { readTls, type Tls } from './tls.ts';

export type Server = {
  /** Where it listens: `http://host:port`. */
  readonly url: string;
  /** Where administration listens: the same, unless it has an address of its own. */
  readonly managementUrl: string;
  /** The one-time set-up link, while there is no organization. */
  readonly setupUrl: string | undefined;
  readonly store: Store;
  readonly gateway: Gateway;
};

const closeMs = 15_000;
/** What anchors get to take the last checkpoints, once the store has closed. */
const lastPushMs = 2_000;
/** What the last bytes of answers get to reach their clients. */
const lastBytesMs = 2_000;

type Listening = {
  readonly config: Config;
  readonly tls: Tls | undefined;
  readonly shutdown: Shutdown;
  readonly plane: DataPlane;
};

async function open(
  { config, tls, shutdown, plane }: Listening,
  listen: Listen,
  faces: readonly Face[],
  name: string,
): Promise<string> {
  const http = createHttpServer(config, tls, listen, faces, plane.gateway.newRequestId);
  const address = await http.listen();
  shutdown.add({
    name,
    phase: 'drain',
    limitMs: config.drainTimeoutMs,
    close: (signal) => {
      signal.addEventListener('abort', plane.calls.cut);
      return http.drain();
    },
  });
  shutdown.add({ name: `${name}' connections`, phase: 'close', limitMs: lastBytesMs, close: http.close });
  return `${tls === undefined ? 'http' : 'https'}://${address}`;
}

/** Opens the one address, or the two; resolves to the URLs of requests and of management. */
async function openAll(
  listening: Listening,
  faces: { readonly data: readonly Face[]; readonly management: readonly Face[] },
): Promise<{ readonly url: string; readonly managementUrl: string }> {
  const { listen: first, managementListen: second } = listening.config;
  const variable = 'COUNTERSIGN_LISTEN';
  if (second === undefined) {
    const listen: Listen = { ...first, variable, serves: 'all' };
    const url = await open(listening, listen, [...faces.management, ...faces.data], 'requests');
    return { url, managementUrl: url };
  }
  const listen: Listen = { ...first, variable, serves: 'models' };
  const managementListen: Listen = {
    ...second,
    variable: 'COUNTERSIGN_MANAGEMENT_LISTEN',
    serves: 'management',
  };
  return {
    url: await open(listening, listen, faces.data, 'requests'),
    managementUrl: await open(listening, managementListen, faces.management, 'management'),
  };
}

/** A link that opens on this machine, also where it listens on all its addresses. */
function setupLink(managementUrl: string, token: string): string {
  const link = new URL(`${managementUrl}/setup?token=${token}`);
  if (isWildcard(link.hostname)) link.hostname = link.hostname.startsWith('[') ? '[::1]' : '127.0.0.1';
  return link.href;
}

/** What an operator should know of a start that succeeds. */
function warnOfStart({ masterKeys: { made } }: Store, { publicUrl }: Config, log: Log): void {
  if (made !== undefined)
    log.warn({ file: made }, 'made a master key: back it up, without it nothing sealed can be opened');
  if (isWildcard(new URL(publicUrl).hostname))
    log.warn({ publicUrl }, 'nobody reaches this server by that URL: set COUNTERSIGN_PUBLIC_URL');
}

/** The writer's last work makes the last checkpoints. */
function closeStore(store: Store, anchors: Anchors): Closer {
  const close = () => store.close(closeMs).then(() => anchors.close(lastPushMs));
  return { name: 'store', phase: 'close', limitMs: closeMs + lastPushMs, close };
}

async function start(config: Config, log: Log, shutdown: Shutdown, onDeath: () => void): Promise<Server> {
  const tls = readTls(config);
  const witnesses = readWitnesses(config);
  let plane: DataPlane | undefined;
  const missed: Step[] = [];
  const faults = countFaults(logFaults(log));
  const metrics = createRegistry();
  const egress = createEgress({ allow: config.egressAllow, connectTimeoutMs: config.connectTimeoutMs });
  const anchors = composeAnchors({ config, egress, log, metrics });
  const report = reportLogChecks(metrics, log);
  const hearing: Hearing = {
    ...anchors.hear,
    onStep: (step) => (plane === undefined ? missed.push(step) : plane.gateway.onStep(step)),
    onFault: faults.onFault,
    onFollowing: (isFollowing) => plane?.health.onFollowing(isFollowing),
    onLogsChecked: report.onLogsChecked,
    onAlteredHeads(found) {
      report.onAlteredHeads(found);
      plane?.health.onAltered(found.length > 0);
    },
    onDeath: (error) => {
      log.fatal({ error }, 'a storage thread has ended: stopping');
      // No outcome can be recorded any more: what runs must not run on until the drain's limit.
      plane?.calls.cut();
      onDeath();
    },
  };
  const store = await openStore(config, hearing, witnesses?.policy);
  shutdown.add(closeStore(store, anchors));
  warnOfStart(store, config, log);
  metrics.observed({
    name: 'countersign_storage_faults',
    help: 'warnings and unknown errors of the storage threads since the start: a line of the log each',
    read: faults.count,
  });
  const composed = composeDataPlane({ config, store, egress, metrics, log, shutdown });
  plane = composed;
  const { gateway, calls } = composed;
  for (const step of missed) gateway.onStep(step);
  const setup = createSetup(store);
  const health = healthFace(() => shutdown.isReady() && composed.health.isWritable());
  const { url, managementUrl } = await openAll(
    { config, tls, shutdown, plane: composed },
    {
      data: [health, inferenceFace(config, gateway, calls.serve)],
      management: [
        health,
        ...managementFaces({ config, store, gateway, metrics, log }),
        setupFace(setup, store, config),
      ],
    },
  );
  const { fetchDocument } = egress;
  composeCosigning({ config, witnesses, store, metrics, log, shutdown, fetchDocument });
  const setupUrl = setup.token === undefined ? undefined : setupLink(managementUrl, setup.token);
  return { url, managementUrl, setupUrl, store, gateway };
}

/**
 * Opens the store, composes the server over it and listens. `shutdown` learns how to end each part; `onDeath` hears
 * that the store has ended by itself, after which the process is of no use. A start that fails has closed what it had
 * opened when it rejects.
 */
export async function serve(
  config: Config,
  log: Log,
  shutdown: Shutdown,
  onDeath: () => void = () => void shutdown.begin('a storage thread has ended'),
): Promise<Server> {
  try {
    return await start(config, log, shutdown, onDeath);
  } catch (error) {
    await shutdown.begin('the start has failed');
    throw error;
  }
}
