// Owns the reference evaluator's values: every one carries its type, every integer is a bigint.

import { type ParsedExtension, parseExtension } from './extensions.ts';
import type { EntityRef, ExtensionRef, Value } from './types.ts';

export type Tagged =
  | { readonly type: 'Bool'; readonly value: boolean }
  | { readonly type: 'Long'; readonly value: bigint }
  | { readonly type: 'String'; readonly value: string }
  | { readonly type: 'Entity'; readonly entityType: string; readonly id: string }
  | { readonly type: 'Set'; readonly items: readonly Tagged[] }
  | { readonly type: 'Record'; readonly members: ReadonlyMap<string, Tagged> }
  | { readonly type: 'Extension'; readonly value: ParsedExtension };

/** Ends the reference evaluation of one rule. */
export class ReferenceFault extends Error {}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isEntity(value: object): value is EntityRef {
  return Object.hasOwn(value, '__entity');
}

function isExtension(value: object): value is ExtensionRef {
  return Object.hasOwn(value, '__extn');
}

/** A request's value with its type. Throws `ReferenceFault` for what is no value of ours. */
export function tag(value: Value): Tagged {
  if (typeof value === 'boolean') return { type: 'Bool', value };
  if (typeof value === 'string') return { type: 'String', value };
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new ReferenceFault('not an integer');
    return { type: 'Long', value: BigInt(value) };
  }
  if (value === null || typeof value !== 'object') throw new ReferenceFault('not a value');
  if (isList(value)) return { type: 'Set', items: value.map(tag) };
  if (isEntity(value)) return { type: 'Entity', entityType: value.__entity.type, id: value.__entity.id };
  if (isExtension(value)) return tagExtension(value.__extn.fn, value.__extn.arg);
  const members = new Map<string, Tagged>();
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) members.set(name, tag(member));
  }
  return { type: 'Record', members };
}

/** `fn(text)` */
export function tagExtension(fn: string, text: string): Tagged {
  const parsed = parseExtension(fn, text);
  if (parsed === undefined) throw new ReferenceFault(`not a valid ${fn}`);
  return { type: 'Extension', value: parsed };
}

/** A text that two values share exactly when Cedar calls them equal. */
export function fingerprint(value: Tagged): string {
  switch (value.type) {
    case 'Bool':
    case 'Long':
      return `${value.type} ${value.value}`;
    case 'String':
      return `String ${JSON.stringify(value.value)}`;
    case 'Entity':
      return `Entity ${JSON.stringify([value.entityType, value.id])}`;
    case 'Set':
      return `Set [${[...new Set(value.items.map(fingerprint))].sort().join(', ')}]`;
    case 'Record': {
      const members = [...value.members].map(
        ([name, member]) => `${JSON.stringify(name)}: ${fingerprint(member)}`,
      );
      return `Record {${members.sort().join(', ')}}`;
    }
    case 'Extension':
      return `Extension ${value.value.key}`;
  }
}

/** A value as a person reads it: Cedar's own notation. */
export function show(value: Tagged): string {
  switch (value.type) {
    case 'Bool':
    case 'Long':
      return `${value.value}`;
    case 'String':
      return JSON.stringify(value.value);
    case 'Entity':
      return `${value.entityType}::${JSON.stringify(value.id)}`;
    case 'Set':
      return `[${value.items.map(show).join(', ')}]`;
    case 'Record':
      return `{${[...value.members].map(([name, member]) => `${JSON.stringify(name)}: ${show(member)}`).join(', ')}}`;
    case 'Extension':
      return value.value.key;
  }
}

/** True or false, tagged. */
export function bool(value: boolean): Tagged {
  return { type: 'Bool', value };
}

/** The value if it has this type. Throws `ReferenceFault` otherwise. */
export function need<T extends Tagged['type']>(value: Tagged, type: T): Extract<Tagged, { type: T }> {
  const matches = (v: Tagged): v is Extract<Tagged, { type: T }> => v.type === type;
  if (!matches(value)) throw new ReferenceFault(`expected ${type}, found ${value.type}`);
  return value;
}
