// Owns which model and provider a call goes to, as far as its credential may name them.

import type { Endpoint } from '@countersign/core/dialects/endpoints';
import { namedModels } from '@countersign/core/directory/named-models';
import type { Model, Provider } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { ActorChain } from '@countersign/core/identity/actor';
import type { OrgSnapshot } from '../../services/snapshot/org-snapshot.ts';

/** `model` is absent where an endpoint is passed through to a provider without naming one. */
export type Selected = { readonly model: Model | undefined; readonly provider: Provider };

/** Not found, or not for this credential: the caller is told the same, the record knows the reason. */
export type Unselected = {
  readonly error: AppError;
  readonly reason: 'unknown_model' | 'key_narrowed' | 'provider_suspended';
};

function unknown(name: string, reason: Unselected['reason']): Unselected {
  const message = `model \`${name}\` is not one that you may call: \`GET /v1/models\` lists yours`;
  return { reason, error: new AppError('not_found', message, { subject: name }) };
}

function unknownProvider(name: string, subject: string, reason: Unselected['reason']): Unselected {
  const message = `provider \`${name}\` is not one that you may call: check the name after \`/providers/\``;
  return { reason, error: new AppError('not_found', message, { subject }) };
}

/** The model of this name or alias, active, on an active provider, within what the key is narrowed to. */
export function selectModel(
  snapshot: OrgSnapshot,
  actor: ActorChain,
  name: string,
  pinnedProvider: string | undefined,
): (Selected & { readonly model: Model }) | Unselected {
  const model = snapshot.directory.modelsByName.get(name);
  if (model?.status !== 'active') return unknown(name, 'unknown_model');
  const provider = snapshot.directory.tables.provider.get(model.providerId);
  if (provider?.status !== 'active') return unknown(name, 'provider_suspended');
  if (pinnedProvider !== undefined && provider.name !== pinnedProvider) return unknown(name, 'unknown_model');
  if (actor.narrowedTo !== undefined && !actor.narrowedTo.includes(model.name))
    return unknown(name, 'key_narrowed');
  return { model, provider };
}

/** The models that a body names beside its own, each active and within what the key is narrowed to. */
export function selectNamed(
  snapshot: OrgSnapshot,
  actor: ActorChain,
  name: string,
  provider: Provider,
): readonly Selected[] | Unselected {
  const named = namedModels(snapshot.directory, provider, name);
  if (named.length === 0) return unknown(name, 'unknown_model');
  const selected: Selected[] = [];
  for (const model of named) {
    const one = selectModel(snapshot, actor, model.name, undefined);
    if ('error' in one) return unknown(name, one.reason);
    selected.push(one);
  }
  return selected;
}

/** What a call is about: an object at the provider that an earlier call made. */
export type OwnedTarget = { readonly providerId: string; readonly modelId: string };

/**
 * Where a call goes. `owned` is what `/v1/responses/{id}` names. An endpoint that is passed through goes to the
 * provider in its path; a model that its body names is held to the same rules as any other.
 */
export function selectTarget(
  snapshot: OrgSnapshot,
  actor: ActorChain,
  endpoint: Endpoint,
  name: string,
  owned: OwnedTarget | undefined,
): Selected | Unselected {
  const { tables, providersByName } = snapshot.directory;
  if (endpoint.id === 'response_object') {
    const model = owned === undefined ? undefined : tables.model.get(owned.modelId);
    if (model === undefined) return unknown(endpoint.objectId ?? '', 'unknown_model');
    return selectModel(snapshot, actor, model.name, endpoint.provider);
  }
  if (endpoint.id !== 'passthrough' || name !== '')
    return selectModel(snapshot, actor, name, endpoint.provider);
  const asked = endpoint.provider ?? '';
  const provider = providersByName.get(asked);
  if (provider?.status !== 'active') return unknownProvider(asked, asked, 'provider_suspended');
  // A key that is narrowed to models reaches nothing that names none.
  return actor.narrowedTo === undefined
    ? { model: undefined, provider }
    : unknownProvider(asked, '', 'key_narrowed');
}
