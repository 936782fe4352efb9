// Owns turning any value into plain data that may be logged: bounded, without cycles, without secrets.

import { isSecretName, scrubbed, scrubText } from './scrub-text.ts';

export type Loggable =
  | string
  | number
  | boolean
  | null
  | readonly Loggable[]
  | { readonly [name: string]: Loggable };

const mostDepth = 8;
const mostItems = 100;
/** Fields and items of one log call in all: bounds what one line can cost. */
const mostNodes = 2000;

type Walk = { readonly open: Set<object>; nodes: number };

/** Reads a property that may be a getter that throws. */
function read(value: object, name: string): unknown {
  try {
    const found: unknown = Reflect.get(value, name);
    return found;
  } catch {
    return '[unreadable]';
  }
}

function ownNames(value: object): readonly string[] {
  try {
    return Object.keys(value);
  } catch {
    return [];
  }
}

function walkFields(
  value: object,
  names: readonly string[],
  walk: Walk,
  depth: number,
): [string, Loggable][] {
  // HAR and DOM style: the name of the secret is itself a value beside it.
  const isNamedSecret = ['name', 'key', 'header'].some((field) => {
    const name = names.includes(field) ? read(value, field) : undefined;
    return typeof name === 'string' && isSecretName(name);
  });
  const fields = names.slice(0, mostItems).map((name): [string, Loggable] => {
    const hides = isNamedSecret && name === 'value';
    return [scrubText(name), walkNamed(hides ? 'secret' : name, read(value, name), walk, depth)];
  });
  if (names.length > mostItems) fields.push(['…', `${names.length - mostItems} more`]);
  return fields;
}

/** The value of a named field: what a secret's name stands for is not looked at. Numbers and flags are no secrets. */
function walkNamed(name: string, value: unknown, walk: Walk, depth: number): Loggable {
  const couldHide = typeof value === 'string' || (typeof value === 'object' && value !== null);
  return couldHide && isSecretName(name) ? scrubbed : walkValue(value, walk, depth);
}

/** In `[name, value, name, value]` and `[[name, value]]` what follows a secret's name is the secret. */
function walkItems(items: readonly unknown[], walk: Walk, depth: number): Loggable[] {
  const kept = items.slice(0, mostItems).map((item, at) => {
    const before = at === 0 ? undefined : items[at - 1];
    return typeof before === 'string' ? walkNamed(before, item, walk, depth) : walkValue(item, walk, depth);
  });
  if (items.length > mostItems) kept.push(`… ${items.length - mostItems} more`);
  return kept;
}

function walkError(error: Error, walk: Walk, depth: number): Loggable {
  const names = ownNames(error).filter(
    (name) => !['name', 'message', 'stack', 'cause', 'errors'].includes(name),
  );
  const rest = walkFields(error, names, walk, depth);
  const inner = ['cause', 'errors'].flatMap((name): [string, Loggable][] => {
    const value = read(error, name);
    return value === undefined ? [] : [[name, walkValue(value, walk, depth)]];
  });
  return Object.fromEntries([
    ['type', walkValue(read(error, 'name'), walk, depth)],
    ['message', walkValue(read(error, 'message'), walk, depth)],
    ['stack', walkValue(read(error, 'stack'), walk, depth)],
    ...rest,
    ...inner,
  ]);
}

/** What an object says of itself through `toJSON`, as dates, URLs and wrapped secrets do. */
function ownJson(value: object): { readonly json: unknown } | undefined {
  const toJson = read(value, 'toJSON');
  if (typeof toJson !== 'function') return undefined;
  try {
    const json: unknown = Reflect.apply(toJson, value, []);
    return { json };
  } catch {
    return { json: '[unreadable]' };
  }
}

function walkObject(value: object, walk: Walk, depth: number): Loggable {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
    return `[${value.byteLength} bytes]`;
  }
  if (value instanceof Error) return walkError(value, walk, depth);
  if (Array.isArray(value)) return walkItems(value, walk, depth);
  if (value instanceof Map) {
    const entries: readonly (readonly [unknown, unknown])[] = [...value].slice(0, mostItems);
    return entries.map(([key, item]) => walkItems([key, item], walk, depth));
  }
  if (value instanceof Set) return walkItems([...value].slice(0, mostItems), walk, depth);
  if (value instanceof Headers || value instanceof URLSearchParams) {
    return Object.fromEntries([...value].map(([name, item]) => [name, walkNamed(name, item, walk, depth)]));
  }
  const own = ownJson(value);
  if (own !== undefined) return walkValue(own.json, walk, depth);
  return Object.fromEntries(walkFields(value, ownNames(value), walk, depth));
}

function walkValue(value: unknown, walk: Walk, depth: number): Loggable {
  if (typeof value === 'string') return scrubText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object') return `[${typeof value}]`;
  walk.nodes += 1;
  if (walk.open.has(value)) return '[circular]';
  if (depth >= mostDepth || walk.nodes > mostNodes) return '[too deep]';
  walk.open.add(value);
  const plain = walkObject(value, walk, depth + 1);
  walk.open.delete(value);
  return plain;
}

/**
 * Plain data with the content of `value`, fit for a log: fields with a secret's name hold `[secret]`, texts
 * are scrubbed, errors show type, message, stack, cause and their own fields, bytes only their number. Runs no
 * code of the value's but getters and `toJSON`, and never throws.
 */
export function scrubValue(value: unknown): Loggable {
  return walkValue(value, { open: new Set(), nodes: 0 }, 0);
}

/** The fields of one log call. An error alone stands under `error`. */
export function scrubFields(value: object): { readonly [name: string]: Loggable } {
  const plain = scrubValue(value instanceof Error ? { error: value } : value);
  return typeof plain === 'object' && plain !== null && !Array.isArray(plain)
    ? Object.fromEntries(Object.entries(plain))
    : { value: plain };
}
