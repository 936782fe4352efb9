// Owns the five usual operations of a resource: create, list, get, update, remove.

import type { Permission } from '@countersign/core/access/permissions';
import { z } from 'zod';
import { operation } from './operation.ts';
import { nothing, page, pageOf, removed } from './shapes.ts';

export type ResourceNames<N extends string> = {
  /** Singular, as it stands in operation ids and audit events: `budget`. */
  readonly name: N;
  /** For summaries: `a budget`. */
  readonly one: string;
  /** Plural path segment: `budgets`. */
  readonly path: string;
};

/** `POST /path`: makes one. */
export function create<N extends string, B extends z.ZodType, V extends z.ZodType>(
  names: ResourceNames<N>,
  permission: readonly [Permission, ...Permission[]],
  body: B,
  response: V,
) {
  return operation({
    id: `${names.name}.create`,
    method: 'POST',
    path: `/${names.path}`,
    summary: `make ${names.one}`,
    tag: names.path,
    permission,
    runs: 'command',
    audit: `${names.name}.created`,
    params: nothing,
    query: nothing,
    body,
    response,
    status: 201,
    alsoProduces: [],
  });
}

/** `GET /path`: newest first, by keyset. `filter` adds query parameters. */
export function list<N extends string, V extends z.ZodType>(
  names: ResourceNames<N>,
  permission: readonly [Permission, ...Permission[]],
  view: V,
) {
  return operation({
    id: `${names.name}.list`,
    method: 'GET',
    path: `/${names.path}`,
    summary: `list ${names.path}, newest first`,
    tag: names.path,
    permission,
    runs: 'query',
    audit: null,
    params: nothing,
    query: page,
    body: null,
    response: pageOf(view),
    status: 200,
    alsoProduces: [],
  });
}

/** `GET /path/{id}`. */
export function get<N extends string, I extends z.ZodType, V extends z.ZodType>(
  names: ResourceNames<N>,
  permission: readonly [Permission, ...Permission[]],
  id: I,
  view: V,
) {
  return operation({
    id: `${names.name}.get`,
    method: 'GET',
    path: `/${names.path}/{id}`,
    summary: `show ${names.one}`,
    tag: names.path,
    permission,
    runs: 'query',
    audit: null,
    params: z.strictObject({ id }),
    query: nothing,
    body: null,
    response: view,
    status: 200,
    alsoProduces: [],
  });
}

/** `PATCH /path/{id}`: only what the body names changes; `null` clears an optional field. */
export function update<N extends string, I extends z.ZodType, B extends z.ZodType, V extends z.ZodType>(
  names: ResourceNames<N>,
  permission: readonly [Permission, ...Permission[]],
  id: I,
  body: B,
  view: V,
) {
  return operation({
    id: `${names.name}.update`,
    method: 'PATCH',
    path: `/${names.path}/{id}`,
    summary: `change ${names.one}`,
    tag: names.path,
    permission,
    runs: 'command',
    audit: `${names.name}.updated`,
    params: z.strictObject({ id }),
    query: nothing,
    body,
    response: view,
    status: 200,
    alsoProduces: [],
  });
}

/** `DELETE /path/{id}`. */
export function remove<N extends string, I extends z.ZodType>(
  names: ResourceNames<N>,
  permission: readonly [Permission, ...Permission[]],
  id: I,
) {
  return operation({
    id: `${names.name}.remove`,
    method: 'DELETE',
    path: `/${names.path}/{id}`,
    summary: `remove ${names.one}`,
    tag: names.path,
    permission,
    runs: 'command',
    audit: `${names.name}.removed`,
    params: z.strictObject({ id }),
    query: nothing,
    body: null,
    response: removed,
    status: 200,
    alsoProduces: [],
  });
}
