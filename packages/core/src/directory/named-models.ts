// Owns which of our models a name stands for that a body carries to its provider beside its own model.

import type { Directory } from './directory.ts';
import type { Model, Provider } from './objects.ts';

/**
 * The provider reads the name itself, as it was sent: so it means the models that stand for this name *there*, and
 * never an alias of ours or another provider's model. Where one of them is called so here too, it is the one;
 * else each of them is meant, and all must be permitted. Empty: no model of ours, so not one to be asked for.
 */
export function namedModels(directory: Directory, provider: Provider, name: string): readonly Model[] {
  const isIt = (model: Model) => model.providerId === provider.id && model.upstreamName === name;
  const own = directory.modelsByName.get(name);
  if (own !== undefined && own.name === name && isIt(own)) return [own];
  return [...directory.tables.model.values()].filter(isIt);
}
