// Owns what follows from a directory and is dear to make: made once, and kept until the directory changes.

import { type Directory, organizationOf } from '@countersign/core/directory/directory';
import { modelEntity, principalEntity } from '@countersign/core/directory/entities';
import type { Change, Model, Provider } from '@countersign/core/directory/objects';
import type { ActorChain, Standing } from '@countersign/core/identity/actor';
import { standingOf } from '@countersign/core/identity/resolve';
import type { PrincipalId, WorkspaceId } from '@countersign/core/ids';
import { type PricedModel, priceModel } from '@countersign/core/metering/price-table';
import { priceTable } from '@countersign/core/metering/price-table.generated';
import type { EntityView } from '@countersign/core/policy/types';

export type Derived = {
  readonly standing: (principalId: PrincipalId, workspaceId: WorkspaceId) => Standing;
  readonly principal: (actor: ActorChain) => EntityView;
  readonly model: (model: Model, provider: Provider) => EntityView;
  /** The price in force of a model; never nothing. */
  readonly price: (model: Model | undefined, provider: Provider) => PricedModel;
};

/** True for changes that nothing here depends on: keys come and go by the thousand. */
export function leavesDerived(changes: readonly Change[]): boolean {
  return changes.every(
    ({ kind }) => kind === 'key' || kind === 'budget' || kind === 'rateLimit' || kind === 'policy',
  );
}

function priceOf(directory: Directory, model: Model, provider: Provider): PricedModel {
  const asked = { providerKind: provider.kind, upstreamName: model.upstreamName };
  const own = model.price === undefined ? asked : { ...asked, price: model.price };
  return priceModel(priceTable, own, organizationOf(directory).defaultPrice);
}

/** Keeps what was just made under `key`. */
function kept<K, V>(known: Map<K, V>, key: K, made: V): V {
  known.set(key, made);
  return made;
}

/** What follows from `directory` as it is now. INVARIANT: thrown away when the directory changes. */
export function createDerived(directory: Directory): Derived {
  const standings = new Map<PrincipalId, Map<WorkspaceId, Standing>>();
  const principals = new Map<Standing, EntityView>();
  const models = new Map<string, EntityView>();
  const prices = new Map<string, PricedModel>();
  return {
    standing(principalId, workspaceId) {
      const own = standings.get(principalId) ?? kept(standings, principalId, new Map());
      return own.get(workspaceId) ?? kept(own, workspaceId, standingOf(directory, principalId, workspaceId));
    },
    // A standing is one principal's in one workspace, and the same object every time.
    principal: (actor) =>
      principals.get(actor.standing) ?? kept(principals, actor.standing, principalEntity(directory, actor)),
    model: (model, provider) =>
      models.get(model.id) ?? kept(models, model.id, modelEntity(directory, model, provider)),
    price(model, provider) {
      if (model === undefined) {
        return { price: organizationOf(directory).defaultPrice, source: 'default', version: 'default' };
      }
      return prices.get(model.id) ?? kept(prices, model.id, priceOf(directory, model, provider));
    },
  };
}
