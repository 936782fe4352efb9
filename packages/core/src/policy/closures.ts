// Owns the building blocks of compiled rules: type checks and attribute reads as closures.

import { uidKey } from './entity.ts';
import { actionView } from './schema.ts';
import type { AnyRequest, Attributes, EntityRef, EntityView } from './types.ts';
import {
  EvaluationFault,
  isEntity,
  isRecord,
  isSet,
  type RecordValue,
  type RuntimeValue,
  typeName,
} from './values.ts';

export type ValueOf = (request: AnyRequest) => RuntimeValue;
export type Test = (request: AnyRequest) => boolean;

function mismatch(expected: string, value: RuntimeValue): EvaluationFault {
  return new EvaluationFault(`expected ${expected}, found ${typeName(value)}`);
}

export function asBool(value: RuntimeValue): boolean {
  if (typeof value !== 'boolean') throw mismatch('Bool', value);
  return value;
}

export function asLong(value: RuntimeValue): number | bigint {
  if (typeof value !== 'number' && typeof value !== 'bigint') throw mismatch('Long', value);
  return value;
}

export function asText(value: RuntimeValue): string {
  if (typeof value !== 'string') throw mismatch('String', value);
  return value;
}

export function asSet(value: RuntimeValue): readonly RuntimeValue[] {
  if (!isSet(value)) throw mismatch('Set', value);
  return value;
}

export function asEntity(value: RuntimeValue): EntityRef {
  if (!isEntity(value)) throw mismatch('an entity', value);
  return value;
}

/** A closure that must yield true or false. */
export function testOf(value: ValueOf): Test {
  return (request) => asBool(value(request));
}

/** The view of an entity if this request knows it: its principal, its resource or an action. */
export function knownEntity(request: AnyRequest, ref: EntityRef): EntityView | undefined {
  const { type, id } = ref.__entity;
  const { principal, resource } = request;
  if (principal.id === id && principal.type === type) return principal;
  if (resource.id === id && resource.type === type) return resource;
  return type === 'Action' ? actionView(id) : undefined;
}

/** True when the entity is the target, or below it. */
function isWithin(request: AnyRequest, ref: EntityRef, target: EntityRef): boolean {
  const { type, id } = target.__entity;
  if (ref.__entity.type === type && ref.__entity.id === id) return true;
  return knownEntity(request, ref)?.ancestors.has(uidKey(type, id)) ?? false;
}

/** `ref in target`, which may be a set. */
export function isIn(request: AnyRequest, ref: EntityRef, target: RuntimeValue): boolean {
  if (!isSet(target)) return isWithin(request, ref, asEntity(target));
  // All members are checked before any is compared: a set with a stray value errs even if another matches.
  const targets = target.map(asEntity);
  return targets.some((each) => isWithin(request, ref, each));
}

/** An attribute of a record or an entity's attributes; undefined if absent. Faults on what is no value of ours. */
export function readAttribute(holder: Attributes | RecordValue, name: string): RuntimeValue | undefined {
  const value = holder[name];
  // `hasOwn`: names such as `constructor` must not be found on the prototype.
  if (value === undefined || !Object.hasOwn(holder, name)) return undefined;
  if (value === null || (typeof value === 'number' && !Number.isSafeInteger(value))) {
    throw new EvaluationFault(`the attribute \`${name}\` holds no valid value`);
  }
  return value;
}

/** The attributes that `.` and `has` look into; undefined for an entity that this request does not know. */
export function attributesOf(request: AnyRequest, value: RuntimeValue): Attributes | RecordValue | undefined {
  if (isEntity(value)) return knownEntity(request, value)?.attributes;
  if (isRecord(value)) return value;
  throw mismatch('a record or an entity', value);
}

/** `value.name` */
export function getAttribute(request: AnyRequest, value: RuntimeValue, name: string): RuntimeValue {
  const holder = attributesOf(request, value);
  if (holder === undefined) throw new EvaluationFault('the entity is not known to this request');
  const found = readAttribute(holder, name);
  if (found === undefined) throw new EvaluationFault(`the attribute \`${name}\` is absent`);
  return found;
}

/** `value has name` */
export function hasAttribute(request: AnyRequest, value: RuntimeValue, name: string): boolean {
  const holder = attributesOf(request, value);
  return holder !== undefined && holder[name] !== undefined && Object.hasOwn(holder, name);
}
