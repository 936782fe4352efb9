// Owns the form of a management operation: everything about it that is not its implementation.

import type { Permission } from '@countersign/core/access/permissions';
import type { z } from 'zod';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/**
 * One operation of the management API, as data. `permission` lists alternatives: the caller needs one, and
 * the implementation narrows what it shows to the one held. `audit` names the event in the ledger: every
 * operation that changes something has one; `null` is for reads that leave no entry.
 */
export type Operation = {
  readonly id: string;
  readonly method: Method;
  /** Path under `/api/v1`, with `{name}` for parameters. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly permission: readonly [Permission, ...Permission[]];
  /** Where it runs: a command in the writer's transaction, a query on the reader, or live on the snapshot. */
  readonly runs: 'command' | 'query' | 'live';
  readonly audit: string | null;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly body: z.ZodType | null;
  readonly response: z.ZodType;
  readonly status: 200 | 201;
  /** Other media types that the answer may take, chosen by `Accept` or `?format=`. */
  readonly alsoProduces: readonly string[];
};

/** Declares an operation. The identity function, so that the literal types of its schemas survive. */
export function operation<const O extends Operation>(declared: O): O {
  return declared;
}

export type ParamsOf<O extends Operation> = z.infer<O['params']>;
export type QueryOf<O extends Operation> = z.infer<O['query']>;
export type BodyOf<O extends Operation> = O['body'] extends z.ZodType ? z.infer<O['body']> : null;
export type ResponseOf<O extends Operation> = z.infer<O['response']>;

/** The names of a path's parameters, in order. */
export function pathParameters(path: string): readonly string[] {
  return [...path.matchAll(/\{([a-zA-Z]+)\}/g)].map((match) => match[1] ?? '');
}
