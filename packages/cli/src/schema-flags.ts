// Owns flags made from an operation's schemas, and the values that are made from flags again.

import { type JsonSchema, jsonSchemaOf } from '@countersign/contract/json-schema';
import type { Operation } from '@countersign/contract/operation';
import { isObject } from '@countersign/core/json';
import { parseJson } from '@countersign/core/parse-json';
import type { Flag, Flags } from './command.ts';
import { readFile } from './input-file.ts';
import { idPrefixesOf, jsonForm } from './json-form.ts';
import { type Machine, UsageError } from './machine.ts';

/** One member of an operation's input and how the command line takes it. */
export type Member = {
  /** As the contract names it: `costCentre`. */
  readonly name: string;
  readonly flag: Flag;
  readonly take: 'text' | 'number' | 'switch' | 'list' | 'json' | 'long_text' | 'moment';
  readonly nullable: boolean;
  /** Of its value, without null. */
  readonly schema: JsonSchema;
};

/** From this length on a text is better in a file. */
const longText = 1_000;

/** `costCentre` is `cost-centre`. */
export function flagName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The schema without its null, and whether it had one. */
function withoutNull(schema: JsonSchema): { readonly schema: JsonSchema; readonly nullable: boolean } {
  const { type, anyOf } = schema;
  if (Array.isArray(type) && type.includes('null')) {
    const rest = type.filter((one) => one !== 'null');
    return { schema: { ...schema, type: rest.length === 1 ? rest[0] : rest }, nullable: true };
  }
  if (Array.isArray(anyOf) && anyOf.some((one) => isObject(one) && one.type === 'null')) {
    const rest = anyOf.filter((one) => isObject(one) && one.type !== 'null');
    const [only] = rest;
    const inner: unknown = rest.length === 1 ? only : { anyOf: rest };
    return {
      schema: isObject(inner) ? { ...inner, description: schema.description } : schema,
      nullable: true,
    };
  }
  return { schema, nullable: false };
}

function takeOf(schema: JsonSchema): Member['take'] {
  const { type, items, maxLength, format } = schema;
  if (type === 'boolean') return 'switch';
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'array') return isObject(items) && items.type === 'string' ? 'list' : 'json';
  if (type === 'string' && format === 'date-time') return 'moment';
  if (type === 'string') return typeof maxLength === 'number' && maxLength >= longText ? 'long_text' : 'text';
  return 'json';
}

function valueName(schema: JsonSchema, take: Member['take']): string {
  if (Array.isArray(schema.enum)) return schema.enum.join('|');
  const names = {
    text: 'TEXT',
    number: 'N',
    switch: '',
    list: 'TEXT',
    json: 'JSON|@FILE',
    long_text: 'TEXT|@FILE',
    moment: 'TIME',
  };
  const ids = idPrefixesOf(schema).map((prefix) => `${prefix}_…`);
  return ids.length === 0 ? names[take] : ids.join('|');
}

function describe(schema: JsonSchema, nullable: boolean): string {
  const { description, default: fallback } = schema;
  return [
    typeof description === 'string' ? description : '',
    fallback === undefined ? '' : `(${JSON.stringify(fallback)})`,
    nullable ? '(may be cleared)' : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** What a date alone stands for: see `momentOf`. */
function dateHelp(name: string): string {
  return `a date alone stands for ${name === 'to' ? 'the end of its UTC day, which is included' : 'the beginning of its UTC day'}`;
}

function memberOf(name: string, whole: JsonSchema, required: boolean): Member {
  const { schema, nullable } = withoutNull(whole);
  const take = takeOf(schema);
  const kind = take === 'switch' || take === 'list' ? take : 'text';
  const item = take === 'list' && isObject(schema.items) ? schema.items : schema;
  const value = valueName(item, take);
  const description = [describe(whole, nullable), take === 'moment' ? dateHelp(name) : '']
    .filter((part) => part !== '')
    .join('; ');
  const flag: Flag = {
    name: flagName(name),
    kind,
    negatable: take === 'switch',
    value,
    description,
    required,
    ...(take === 'json' ? { form: jsonForm(schema) } : {}),
  };
  return { name, flag, take, nullable, schema };
}

/** The members of an input that is an object; none for any other. */
export function membersOf(schema: Operation['query'] | Operation['body']): readonly Member[] {
  if (schema === null) return [];
  const { properties, required } = jsonSchemaOf(schema, 'input');
  if (!isObject(properties)) return [];
  const needed = Array.isArray(required) ? required : [];
  return Object.entries(properties).map(([name, member]) =>
    memberOf(name, isObject(member) ? member : {}, needed.includes(name)),
  );
}

/** The members of an operation's query, but the form of its answer: for that there is `--csv`. */
export function queryMembersOf({ query }: Operation): readonly Member[] {
  return membersOf(query).filter(({ name }) => name !== 'format');
}

/** JSON from a flag's text, from a file (`@FILE`) or from standard input (`@-`). */
export function readJson(machine: Machine, flag: string, text: string): unknown {
  const source = text.startsWith('@') ? readFile(machine, text.slice(1)) : text;
  try {
    const value: unknown = parseJson(source);
    return value;
  } catch {
    throw new UsageError(`\`--${flag}\` takes JSON, or @FILE with JSON in it`);
  }
}

function numberOf(flag: string, text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new UsageError(`\`--${flag}\` takes a whole number, not \`${text}\``);
  return Number(text);
}

/** A moment as it is; of a date alone the beginning of its UTC day, and its end where the name says `to`. */
function momentOf({ name, flag }: Member, text: string): string {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  const isDate = !Number.isNaN(date) && new Date(date).toISOString().startsWith(text);
  if (isDate) return new Date(name === 'to' ? date + 86_400_000 : date).toISOString();
  if (/^\d{4}-\d{2}-\d{2}T\S+$/.test(text)) return text;
  throw new UsageError(
    `\`--${flag.name}\` takes a time such as 2026-01-31T12:00:00Z or a date such as 2026-01-31, not \`${text}\``,
  );
}

/** Several values in one, by commas, where none of the values may hold a comma. */
function refuseJoined({ flag, schema }: Member, values: readonly string[]): void {
  const pattern = isObject(schema.items) ? schema.items.pattern : undefined;
  if (typeof pattern !== 'string' || new RegExp(pattern).test(',') || new RegExp(pattern).test('a,a')) return;
  const joined = values.find((value) => value.includes(','));
  if (joined === undefined) return;
  const each = joined.split(',').map((value) => `--${flag.name} ${value.trim()}`);
  throw new UsageError(`\`--${flag.name}\` takes one value each time: \`${each.join(' ')}\``);
}

function takenFrom(machine: Machine, member: Member, flags: Flags): unknown {
  const { name } = member.flag;
  if (member.take === 'switch') return flags.toggle(name);
  if (member.take === 'list') {
    const items = flags.list(name);
    refuseJoined(member, items);
    return items.length === 0 ? undefined : items;
  }
  const text = flags.text(name);
  if (text === undefined) return undefined;
  if (member.take === 'number') return numberOf(name, text);
  if (member.take === 'moment') return momentOf(member, text);
  if (member.take === 'json') return readJson(machine, name, text);
  if (member.take !== 'long_text' || !text.startsWith('@')) return text;
  // The end of a file's last line is an editor's, not the value's: no key holds one.
  return readFile(machine, text.slice(1)).replace(/\r?\n$/, '');
}

/** What the flags say of these members; a member that no flag names is left out, a cleared one is null. */
export function valuesOf(
  machine: Machine,
  members: readonly Member[],
  flags: Flags,
): { readonly [name: string]: unknown } {
  const values: Record<string, unknown> = {};
  for (const member of members) {
    const value = takenFrom(machine, member, flags);
    if (value !== undefined) values[member.name] = value;
  }
  for (const name of flags.list('clear')) {
    const member = members.find(({ flag }) => flag.name === name);
    if (member?.nullable !== true) throw new UsageError(`\`${name}\` cannot be cleared`);
    if (values[member.name] !== undefined) throw new UsageError(`give \`--${name}\` or clear it, not both`);
    values[member.name] = null;
  }
  return values;
}
