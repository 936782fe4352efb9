// Owns which upstream serves which provider, and providers' keys while they are in use.

import type { Provider } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import type { ClientPool } from '../platform/egress/client-pool.ts';
import type { Opener } from '../platform/sealer/sealer.ts';
import { providerKeyBinding } from '../services/subjects/bindings.ts';
import { defaultBaseUrl } from '../upstreams/providers/base-url.ts';
import { createHttpUpstream } from '../upstreams/providers/http.ts';
import { createSandboxUpstream } from '../upstreams/providers/sandbox.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { Threads } from './start-threads.ts';

export type Upstreams = {
  readonly upstreamOf: (provider: Provider) => Upstream;
  /** The provider's key; undefined where it has none. Asked of the store once for each key. */
  readonly providerKeyOf: (
    orgId: OrgId,
    provider: Provider,
  ) => string | undefined | Promise<string | undefined>;
};

/** Upstreams by the state of their provider: a changed one gets a new upstream, the old ends with its calls. */
export function createUpstreams(deps: {
  readonly pool: ClientPool;
  readonly opener: Opener;
  readonly reader: Threads['reader'];
  readonly now: () => number;
}): Upstreams {
  const upstreams = new WeakMap<Provider, Upstream>();
  const keys = new Map<string, string>();
  const keysInUse = new WeakMap<Provider, string>();
  const sandbox = createSandboxUpstream({ now: deps.now });

  function make(provider: Provider): Upstream {
    if (provider.kind === 'sandbox') return sandbox;
    const baseUrl = provider.baseUrl ?? defaultBaseUrl(provider.kind);
    if (baseUrl === undefined) throw new AppError('internal', `provider \`${provider.name}\` has no address`);
    return createHttpUpstream({ baseUrl, timeouts: provider.timeouts, pool: deps.pool });
  }

  async function loadKey(orgId: OrgId, provider: Provider, name: string): Promise<string | undefined> {
    const sealed = await deps.reader.call('providerKey', { orgId, id: provider.id });
    if (sealed === undefined)
      throw new AppError('storage_unavailable', `the key of provider \`${provider.name}\` is missing`);
    const key = Buffer.from(deps.opener.open(sealed, providerKeyBinding(orgId, provider.id))).toString(
      'utf8',
    );
    if (keys.size > 10_000) keys.clear();
    keys.set(name, key);
    return key;
  }

  return {
    upstreamOf(provider) {
      const known = upstreams.get(provider);
      if (known !== undefined) return known;
      const made = make(provider);
      upstreams.set(provider, made);
      return made;
    },
    providerKeyOf(orgId, provider) {
      if (provider.keyCommitment === undefined) return undefined;
      const inUse = keysInUse.get(provider);
      if (inUse !== undefined) return inUse;
      const name = `${provider.id} ${provider.keyCommitment}`;
      const known = keys.get(name);
      if (known === undefined) return loadKey(orgId, provider, name);
      keysInUse.set(provider, known);
      return known;
    },
  };
}
