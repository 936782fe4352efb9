// Owns the composition of administration: commands on the writer, queries on the reader, answers from memory.

import { roleDescriptions, rolePermissions, roles } from '@countersign/core/access/permissions';
import { liveOperations } from '../control/live-operations.ts';
import { createManager, type LiveOperation, type Manager, type ManagerDeps } from '../control/manager.ts';
import type { Registry } from '../platform/metrics/registry.ts';
import type { Gateway } from './gateway.ts';
import { preparePolicy, type Store } from './store.ts';

function textOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('text' in body)) return undefined;
  return typeof body.text === 'string' ? body.text : undefined;
}

const listRoles: LiveOperation = () => ({
  items: roles.map((role) => ({
    role,
    description: roleDescriptions[role],
    permissions: [...rolePermissions[role]],
  })),
});

/** Every operation that is answered from memory, by its id. */
export function liveRegistry(
  deps: Pick<Gateway['deps'], 'now' | 'networksOf'>,
  metrics: Registry,
): ReadonlyMap<string, LiveOperation> {
  return new Map<string, LiveOperation>([
    ['role.list', listRoles],
    ['metrics.read', () => ({ text: metrics.render() })],
    ...liveOperations(deps.now, deps.networksOf),
  ]);
}

/** The manager over a store and the data plane's own callers and organizations. */
export function composeManager(store: Store, gateway: Gateway, metrics: Registry): Manager {
  const { deps, organizations } = gateway;
  const { reader, writer } = store.threads;
  const prepare: ManagerDeps['prepare'] = async (snapshot, operation, input) => {
    if (operation.tag !== 'policy') return null;
    const text = textOf(input.body);
    if (text === undefined) return null;
    const { tables, modelsByName } = snapshot.directory;
    const labels = [...tables.classifier.values()].map(({ label }) => label);
    return preparePolicy(store.policies, text, { labels, models: [...modelsByName.keys()] });
  };
  return createManager({
    ...deps,
    record: deps.recorder.record,
    command: (request) => writer.call('command', request),
    query: async (request) => (await reader.call('query', request)).response,
    catchUp: organizations.snapshots.catchUp,
    drain: async (orgId) => {
      await writer.call('drain', orgId);
    },
    prepare,
    live: liveRegistry(deps, metrics),
  });
}
