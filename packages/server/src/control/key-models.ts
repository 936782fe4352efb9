// Owns the models to which a key is narrowed: names that lead to a call, on a key that calls models.

import type { Key } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { View } from './view.ts';

/**
 * Throws `invalid_request` for models on a management key, which calls none, and for a name that no model has: a key
 * narrowed to it alone could call nothing. Names that the key had before stay, also when their model is gone.
 */
export async function demandModels(
  view: View,
  use: Key['use'],
  models: readonly string[] | null | undefined,
  before: readonly string[] = [],
): Promise<void> {
  if (models === undefined || models === null) return;
  if (use === 'management')
    throw new AppError('invalid_request', '`models` is for keys that call models: leave it out of this one');
  const known = (await view.listAll('model')).map(({ state }) => state);
  for (const name of models) {
    if (before.includes(name) || known.some((model) => model.name === name)) continue;
    const meant = known.find(({ aliases }) => aliases.includes(name));
    throw new AppError(
      'invalid_request',
      meant === undefined
        ? `there is no model \`${name}\` for \`models\`: \`models list\` shows their names`
        : `\`${name}\` is another name of model \`${meant.name}\`: narrow the key to that`,
    );
  }
}
