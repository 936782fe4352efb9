// Owns the JSON Schema of the contract's zod schemas: what OpenAPI shows and what command-line flags are made from.

import { type IdKind, idPrefixes } from '@countersign/core/ids';
import { isObject } from '@countersign/core/json';
import { z } from 'zod';

/** A JSON Schema (draft 2020-12) as plain data. */
export type JsonSchema = { readonly [keyword: string]: unknown };

const idBody = '[0-7][0-9a-hjkmnp-tv-z]{25}';
const sampleBody = '0'.repeat(26);

function idKinds(): readonly (readonly [IdKind, string])[] {
  const pairs: (readonly [IdKind, string])[] = [];
  for (const kind in idPrefixes) if (isIdKind(kind)) pairs.push([kind, idPrefixes[kind]]);
  return pairs;
}

function isIdKind(kind: string): kind is IdKind {
  return Object.hasOwn(idPrefixes, kind);
}

/**
 * An id's schema is a predicate, which JSON Schema cannot hold: it is told apart by what it accepts. Throws
 * for a predicate that accepts no id, so that none is published as "anything".
 */
function idSchema(schema: z.core.$ZodType): JsonSchema {
  const accepted = idKinds()
    .map(([, prefix]) => prefix)
    .filter((prefix) => z.safeParse(schema, `${prefix}_${sampleBody}`).success);
  if (accepted.length === 0) throw new RangeError('a custom schema that accepts no id has no JSON Schema');
  return { type: 'string', pattern: `^(?:${accepted.join('|')})_${idBody}$` };
}

function rewrite(into: Record<string, unknown>, from: JsonSchema): void {
  for (const key of Object.keys(into)) if (key !== 'description') delete into[key];
  Object.assign(into, from);
}

/** `z.json()` is the only recursive schema that is used: it becomes the schema of anything. */
function withoutRecursion(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutRecursion);
  if (!isObject(value)) return value;
  if (typeof value.$ref === 'string') return { description: 'any JSON value' };
  const members = Object.entries(value).filter(([name]) => name !== '$defs' && name !== '$schema');
  return Object.fromEntries(members.map(([name, member]) => [name, withoutRecursion(member)]));
}

/**
 * The JSON Schema of a zod schema: `input` is what a caller may send (a default makes a member optional),
 * `output` is what they get. Answers may grow, so only inputs refuse unknown members.
 */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const made = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod;
      if (def.type === 'custom') rewrite(jsonSchema, idSchema(zodSchema));
      if (io === 'output' && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties;
    },
  });
  const plain = withoutRecursion(made);
  return isObject(plain) ? plain : {};
}
