// Owns how a read is asked: scoped to one organization, narrowed to what the asker may see, on the reader.

import type { BodyOf, Operation, ParamsOf, QueryOf, ResponseOf } from '@countersign/contract/operation';
import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import type { Opener } from '../platform/sealer/sealer.ts';
import type { Store } from '../stores/schema.ts';
import type { CommandActor, Prepared } from './command.ts';
import { inputSchema, type RawInput, readInput, shownResponse } from './operation-input.ts';

export type QueryRequest = {
  readonly orgId: OrgId;
  readonly operation: string;
  readonly actor: CommandActor;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly prepared: Prepared;
};

export type QueryResult = { readonly response: unknown };

/** What a query reads. INVARIANT: `store` refuses writes; every store function is given `orgId`. */
export type QueryContext = {
  readonly orgId: OrgId;
  readonly actor: CommandActor;
  readonly store: Store;
  readonly opener: Opener;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
};

export type QueryInput<O extends Operation> = {
  readonly params: ParamsOf<O>;
  readonly query: QueryOf<O>;
  readonly body: BodyOf<O>;
  readonly prepared: Prepared;
};

export type Query<O extends Operation> = (ctx: QueryContext, input: QueryInput<O>) => Promise<ResponseOf<O>>;

export type BoundQuery = {
  readonly operation: Operation;
  readonly run: (ctx: QueryContext, request: QueryRequest) => Promise<unknown>;
};

/** Pairs an operation with its query; the input is parsed again at this edge, the answer held to its schema. */
export function bindQuery<O extends Operation>(operation: O, query: Query<O>): BoundQuery {
  const schema = inputSchema(operation);
  function isInput(value: RawInput): value is QueryInput<O> {
    return schema.safeParse(value).success;
  }
  return {
    operation,
    async run(ctx, request) {
      const input = { ...readInput(schema, request), prepared: request.prepared };
      if (!isInput(input)) throw new AppError('internal', `the input of \`${operation.id}\` does not fit`);
      return shownResponse(operation, await query(ctx, input));
    },
  };
}
