// Owns the inventory of operations: each is guarded, each change is recorded, each is bound once where it runs.

import type { Operation } from '@countersign/contract/operation';
import { permissions } from '@countersign/core/access/permissions';

/** Ids that have an implementation, by the place where it runs. */
export type Bound = { readonly [Runs in Operation['runs']]: readonly string[] };

const dotted = /^[a-z_]+\.[a-z_]+$/;
const known: ReadonlySet<string> = new Set(permissions);

/** What is wrong with one operation by itself. */
function complaintsAbout({ id, method, path, permission, runs, audit }: Operation): string[] {
  const complaints: string[] = [];
  const needed: readonly string[] = permission;
  if (!dotted.test(id)) complaints.push('its id is not `noun.verb`');
  if (!path.startsWith('/')) complaints.push(`its path \`${path}\` does not start with a slash`);
  if (needed.length === 0) complaints.push('it needs no permission');
  for (const one of needed) if (!known.has(one)) complaints.push(`its permission \`${one}\` does not exist`);
  if (runs === 'command' && !dotted.test(audit ?? ''))
    complaints.push('it changes something and has no event');
  if (runs !== 'command' && audit !== null) complaints.push('it changes nothing and has an event');
  if (method === 'GET' && runs === 'command') complaints.push('it changes something on GET');
  if (method !== 'GET' && method !== 'POST' && runs !== 'command')
    complaints.push(`it changes nothing on ${method}`);
  return complaints;
}

/** The texts that occur more than once. */
function repeated(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.filter((text, i) => texts.indexOf(text) !== i))];
}

/** What two operations share that may have one only: parameters of a path count whatever their name. */
function clashes(operations: readonly Operation[]): string[] {
  const ids = repeated(operations.map(({ id }) => id)).map((id) => `${id}: two operations have this id`);
  const places = operations.map(({ method, path }) => `${method} ${path.replaceAll(/\{[^}]*\}/g, '{}')}`);
  return [...ids, ...repeated(places).map((place) => `${place}: two operations are at this place`)];
}

function bindings(operations: readonly Operation[], bound: Bound, internal: readonly string[]): string[] {
  const everywhere = [...bound.command, ...bound.query, ...bound.live];
  const declared = new Set(operations.map(({ id }) => id));
  return [
    ...operations
      .filter(({ id, runs }) => !bound[runs].includes(id))
      .map(({ id, runs }) => `${id}: no ${runs} is bound to it`),
    ...repeated(everywhere).map((id) => `${id}: bound more than once`),
    ...everywhere
      .filter((id) => !declared.has(id) && !internal.includes(id))
      .map((id) => `${id}: bound, and no operation of the contract`),
    ...internal.filter((id) => declared.has(id)).map((id) => `${id}: internal, and a request can name it`),
  ];
}

/**
 * Everything that is wrong with the operations and what is bound to them, one line each. `internal` are ids that
 * only the software itself asks for.
 */
export function operationComplaints(
  operations: readonly Operation[],
  bound: Bound,
  internal: readonly string[],
): readonly string[] {
  return [
    ...operations.flatMap((one) => complaintsAbout(one).map((complaint) => `${one.id}: ${complaint}`)),
    ...clashes(operations),
    ...bindings(operations, bound, internal),
  ];
}
