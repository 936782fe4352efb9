// Owns the end of a model.

import type { modelRemove } from '@countersign/contract/model-operations';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';

/** Removes a model: its names lead nowhere from the next call on. */
export const removeModel: Command<typeof modelRemove> = async (view, ctx, { params }) => {
  demand(ctx.actor, 'models.write', 'organization');
  const { state } = await view.need('model', params.id);
  return {
    response: { id: state.id, removed: true },
    changes: [changed({ kind: 'model', id: state.id, state: null })],
  };
};
