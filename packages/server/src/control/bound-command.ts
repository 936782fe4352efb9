// Owns the pairing of an operation with its command, so that a registry can hold commands of all types.

import type { Operation } from '@countersign/contract/operation';
import { AppError } from '@countersign/core/errors';
import type { Command, CommandContext, CommandOutcome, Prepared } from './command.ts';
import { demandNoAgent } from './guard.ts';
import { inputSchema, type RawInput, readInput, shownResponse } from './operation-input.ts';
import type { View } from './view.ts';

/** An operation with its command, its types checked where the registry pairs them. */
export type BoundCommand = {
  readonly operation: Operation;
  readonly run: (
    view: View,
    ctx: CommandContext,
    raw: RawInput & { readonly prepared: Prepared },
  ) => Promise<CommandOutcome<unknown>>;
};

/**
 * What an agent changes: its own keys, which go on naming it. INVARIANT: nothing else, so that it gives nobody a
 * role or a way in that would not name it, and alters nothing by which it is decided and counted.
 */
const openToAgents: ReadonlySet<string> = new Set([
  'key.create',
  'key.update',
  'key.rotate',
  'key.revoke',
  'record.content',
]);

/** Pairs an operation with its command. The input is parsed again here: a thread's port is an edge too. */
export function bindCommand<O extends Operation>(operation: O, command: Command<O>): BoundCommand {
  const schema = inputSchema(operation);
  function isInput(value: RawInput): value is Parameters<Command<O>>[2] {
    return schema.safeParse(value).success;
  }
  return {
    operation,
    async run(view, ctx, raw) {
      if (!openToAgents.has(operation.id)) demandNoAgent(ctx.actor);
      const input = { ...readInput(schema, raw), prepared: raw.prepared };
      if (!isInput(input)) throw new AppError('internal', `the input of \`${operation.id}\` does not fit`);
      const outcome = await command(view, ctx, input);
      return { ...outcome, response: shownResponse(operation, outcome.response) };
    },
  };
}
