// Owns lists as CSV (RFC 4180): columns from an operation's response, a line for each item.

import { csvCell } from '@countersign/core/csv-cell';
import { isObject } from '@countersign/core/json';
import type { z } from 'zod';
import { type JsonSchema, jsonSchemaOf } from './json-schema.ts';

/** One column: its name, `actor.name`, and the members that lead to its value. */
type Column = { readonly name: string; readonly path: readonly string[]; readonly of: 'item' | 'answer' };

export type CsvColumns = readonly Column[];

/** The schemas that a value may have, without null. */
function variantsOf(schema: JsonSchema): readonly JsonSchema[] {
  const { anyOf, oneOf } = schema;
  const variants = [anyOf, oneOf].flatMap((list) => (Array.isArray(list) ? list.filter(isObject) : []));
  if (variants.length === 0) return schema.type === 'null' ? [] : [schema];
  return variants.flatMap(variantsOf);
}

/** The members of an object's schema, or of all of its variants; none where a variant is no such object. */
function membersOf(schema: JsonSchema): ReadonlyMap<string, JsonSchema> {
  const members = new Map<string, JsonSchema>();
  for (const { properties } of variantsOf(schema)) {
    if (!isObject(properties)) return new Map();
    for (const [name, member] of Object.entries(properties))
      if (isObject(member) && !members.has(name)) members.set(name, member);
  }
  return members;
}

function columnsOf(schema: JsonSchema, path: readonly string[], of: Column['of']): CsvColumns {
  const members = [...membersOf(schema)];
  if (members.length === 0) return [{ name: path.join('.'), path, of }];
  return members.flatMap(([name, member]) => columnsOf(member, [...path, name], of));
}

/**
 * The columns of a response with `items`: each member of an item in the order of the schema, nested ones with dots,
 * then what the answer says beside its items (`from`, `to`, `currency`). They do not depend on what is in a page.
 */
export function csvColumns(response: z.ZodType): CsvColumns {
  const members = membersOf(jsonSchemaOf(response, 'output'));
  const items = members.get('items')?.items;
  const beside = [...members].filter(([name]) => name !== 'items' && name !== 'next');
  return [
    ...(isObject(items) ? columnsOf(items, [], 'item') : []),
    ...beside.flatMap(([name, member]) => columnsOf(member, [name], 'answer')),
  ];
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value);
}

/** An answer with `items` as CSV: the names of the columns first, then a line for each item. */
export function csvText(
  columns: CsvColumns,
  answer: { readonly items: readonly unknown[]; readonly [name: string]: unknown },
): string {
  const rows = answer.items.map((item) =>
    columns.map(({ path, of }) => csvCell(valueAt(of === 'item' ? item : answer, path))),
  );
  return [columns.map(({ name }) => csvCell(name)), ...rows]
    .map((cells) => `${cells.join(',')}\r\n`)
    .join('');
}
