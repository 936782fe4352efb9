// Owns the rule that one name leads to one model.

import type { Model } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { View } from './view.ts';

/** Throws `already_exists` for a name or an alias that another model has, `not_found` for a foreign workspace. */
export async function checkModel(view: View, model: Model): Promise<void> {
  const names = [model.name, ...model.aliases];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new AppError('invalid_request', `\`${twice}\` is given twice: each name stands once`);
  for (const { state: other } of await view.listAll('model')) {
    if (other.id === model.id) continue;
    const taken = [other.name, ...other.aliases].find((name) => names.includes(name));
    if (taken !== undefined) {
      throw new AppError(
        'already_exists',
        `\`${taken}\` already leads to model \`${other.name}\`: choose another name`,
      );
    }
  }
  for (const id of new Set(model.workspaceIds ?? [])) await view.need('workspace', id);
}
