// Owns which model and provider a request names, as far as its credential may name them.

import type { Model, Provider } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { ActorChain } from '@countersign/core/identity/actor';
import type { OrgSnapshot } from '../../services/snapshot/org-snapshot.ts';

export type Selected = { readonly model: Model; readonly provider: Provider };

/** Not found, or not for this credential: the caller is told the same, the record knows the reason. */
export type Unselected = {
  readonly error: AppError;
  readonly reason: 'unknown_model' | 'key_narrowed' | 'provider_suspended';
};

function unknown(name: string, reason: Unselected['reason']): Unselected {
  const message = `model \`${name}\` is not one that you may call: \`GET /v1/models\` lists yours`;
  return { reason, error: new AppError('not_found', message, { subject: name }) };
}

/** The model of this name or alias, active, on an active provider, within what the key is narrowed to. */
export function selectModel(
  snapshot: OrgSnapshot,
  actor: ActorChain,
  name: string,
  pinnedProvider: string | undefined,
): Selected | Unselected {
  const model = snapshot.directory.modelsByName.get(name);
  if (model?.status !== 'active') return unknown(name, 'unknown_model');
  const provider = snapshot.directory.tables.provider.get(model.providerId);
  if (provider?.status !== 'active') return unknown(name, 'provider_suspended');
  if (pinnedProvider !== undefined && provider.name !== pinnedProvider) return unknown(name, 'unknown_model');
  if (actor.narrowedTo !== undefined && !actor.narrowedTo.includes(model.name))
    return unknown(name, 'key_narrowed');
  return { model, provider };
}
