// Owns what a schema looks like in help: the form of its JSON, and a value that it takes.

import type { JsonSchema } from '@countersign/contract/json-schema';
import { isObject } from '@countersign/core/json';

function objects(value: unknown): readonly JsonSchema[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function propertiesOf({ properties }: JsonSchema): readonly (readonly [name: string, schema: JsonSchema])[] {
  const members = isObject(properties) ? Object.entries(properties) : [];
  return members.map(([name, schema]) => [name, isObject(schema) ? schema : {}] as const);
}

/** The prefixes of a pattern that stands for ids: `usr`, `svc`; none for any other. */
export function idPrefixesOf({ pattern }: JsonSchema): readonly string[] {
  const found = /^\^\(\?:([a-z|]+)\)_/.exec(typeof pattern === 'string' ? pattern : '')?.[1];
  return found === undefined ? [] : found.split('|');
}

function objectForm(schema: JsonSchema): string {
  const { required, additionalProperties } = schema;
  const needed = Array.isArray(required) ? required : [];
  const members = propertiesOf(schema).map(
    ([name, member]) => `"${name}"${needed.includes(name) ? '' : '?'}:${formOf(member)}`,
  );
  const others = isObject(additionalProperties) ? [`"TEXT":${formOf(additionalProperties)},…`] : [];
  return `{${[...members, ...others].join(',')}}`;
}

/** The form of one value, as JSON is written: `{"input":N,"reasoning"?:N}`. */
function formOf(schema: JsonSchema): string {
  const { type, items, enum: values } = schema;
  if ('const' in schema) return JSON.stringify(schema.const);
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join('|');
  const variants = [...objects(schema.oneOf), ...objects(schema.anyOf)];
  if (variants.length > 0) return variants.map(formOf).join('|');
  if (type === 'array') return `[${formOf(isObject(items) ? items : {})},…]`;
  if (type === 'object') return objectForm(schema);
  if (type === 'integer' || type === 'number') return 'N';
  if (type === 'boolean') return 'true|false';
  const ids = idPrefixesOf(schema).map((prefix) => `${prefix}_…`);
  if (ids.length > 0) return `"${ids.join('|')}"`;
  return type === 'string' ? '"TEXT"' : 'JSON';
}

/** The form of a schema's JSON: a line for each variant that it takes. */
export function jsonForm(schema: JsonSchema): readonly string[] {
  const variants = objects(schema.oneOf);
  return variants.length > 0 ? variants.map(formOf) : [formOf(schema)];
}

function sampleText(schema: JsonSchema): string {
  const [prefix] = idPrefixesOf(schema);
  if (prefix !== undefined) return `${prefix}_…`;
  if (schema.format === 'email') return 'alice@example.com';
  if (schema.format === 'date-time') return '2026-01-31T12:00:00Z';
  return schema.format === 'uri' ? 'https://login.example.com' : 'sample';
}

/**
 * A value that the schema takes: its own example or default where it has one, else the plainest that fits. Ids are
 * placeholders (`usr_…`), which nobody can guess.
 */
export function sampleValue(schema: JsonSchema): unknown {
  const { examples, type, items, enum: values, minimum } = schema;
  if (Array.isArray(examples) && examples.length > 0) return examples[0];
  if ('default' in schema) return schema.default;
  if ('const' in schema) return schema.const;
  if (Array.isArray(values)) return values[0];
  const [variant] = [...objects(schema.oneOf), ...objects(schema.anyOf)];
  if (variant !== undefined) return sampleValue(variant);
  if (type === 'array') return [sampleValue(isObject(items) ? items : {})];
  if (type === 'integer' || type === 'number')
    return Math.max(100, typeof minimum === 'number' ? minimum : 0);
  if (type === 'boolean') return true;
  if (type === 'string') return sampleText(schema);
  const needed = Array.isArray(schema.required) ? schema.required : [];
  const members = propertiesOf(schema).filter(([name]) => needed.includes(name));
  return Object.fromEntries(members.map(([name, member]) => [name, sampleValue(member)]));
}
