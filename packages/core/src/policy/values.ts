// Owns values while a rule runs: what they are, when they are equal, and how 64-bit integers behave.

import type { ParsedExtension } from './extensions.ts';
import { parseExtension } from './extensions.ts';
import type { EntityRef, ExtensionRef } from './types.ts';

/** An extension value with its parsed form; a request's own values are parsed when they are read. */
export type ExtensionValue = ExtensionRef & { readonly parsed?: ParsedExtension };
export type RecordValue = { readonly [name: string]: RuntimeValue | undefined };
/** INVARIANT: a bigint is always beyond ±(2^53 − 1), so that equal integers have one form. */
export type RuntimeValue =
  | boolean
  | number
  | bigint
  | string
  | readonly RuntimeValue[]
  | EntityRef
  | ExtensionValue
  | RecordValue;

/**
 * Ends the evaluation of one rule. Not an `Error`: capturing a stack would cost more than the decision, and
 * a rule that errs is an expected outcome.
 */
export class EvaluationFault {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** The message of whatever ended a rule's evaluation. */
export function faultMessage(thrown: unknown): string {
  return thrown instanceof EvaluationFault ? thrown.message : 'the rule could not be evaluated';
}

export function isSet(value: RuntimeValue): value is readonly RuntimeValue[] {
  return Array.isArray(value);
}

export function isEntity(value: RuntimeValue): value is EntityRef {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, '__entity');
}

export function isExtension(value: RuntimeValue): value is ExtensionValue {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, '__extn');
}

export function isRecord(value: RuntimeValue): value is RecordValue {
  return (
    typeof value === 'object' && value !== null && !isSet(value) && !isEntity(value) && !isExtension(value)
  );
}

/** The name of a value's type, as messages show it. */
export function typeName(value: RuntimeValue): string {
  if (typeof value === 'boolean') return 'Bool';
  if (typeof value === 'number' || typeof value === 'bigint') return 'Long';
  if (typeof value === 'string') return 'String';
  if (isSet(value)) return 'Set';
  if (isEntity(value)) return value.__entity.type;
  if (isExtension(value)) return value.__extn.fn;
  return 'Record';
}

/** The parsed form of an extension value. Throws `EvaluationFault` if its text is not well formed. */
export function parsedExtension(value: ExtensionValue): ParsedExtension {
  if (value.parsed !== undefined) return value.parsed;
  const parsed = parseExtension(value.__extn.fn, value.__extn.arg);
  if (parsed === undefined) throw new EvaluationFault(`not a valid ${value.__extn.fn}`);
  return parsed;
}

const isPlain = (item: RuntimeValue): boolean => typeof item !== 'object';

/** Every pair is compared once: a pair that was compared again at each level would cost twice as much a level. */
function equalSets(a: readonly RuntimeValue[], b: readonly RuntimeValue[]): boolean {
  if (!a.every((item) => !isPlain(item) || b.includes(item))) return false;
  if (!b.every((item) => !isPlain(item) || a.includes(item))) return false;
  const nested = b.filter((item) => !isPlain(item));
  const met = new Set<number>();
  for (const item of a) {
    if (isPlain(item)) continue;
    let isMet = false;
    for (const [place, other] of nested.entries()) {
      if (!areEqual(item, other)) continue;
      isMet = true;
      met.add(place);
    }
    if (!isMet) return false;
  }
  return met.size === nested.length;
}

function equalRecords(a: RecordValue, b: RecordValue): boolean {
  for (const name of Object.keys(a)) {
    const left = a[name];
    const right = Object.hasOwn(b, name) ? b[name] : undefined;
    if (left === undefined || right === undefined) {
      if (left !== right) return false;
    } else if (!areEqual(left, right)) return false;
  }
  return Object.keys(b).every(
    (name) => b[name] === undefined || (Object.hasOwn(a, name) && a[name] !== undefined),
  );
}

/** Cedar's `==`: values of different types are unequal, never an error. */
export function areEqual(a: RuntimeValue, b: RuntimeValue): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  if (isSet(a)) return isSet(b) && equalSets(a, b);
  if (isEntity(a)) {
    return isEntity(b) && a.__entity.id === b.__entity.id && a.__entity.type === b.__entity.type;
  }
  if (isExtension(a)) return isExtension(b) && parsedExtension(a).key === parsedExtension(b).key;
  return isRecord(a) && isRecord(b) && equalRecords(a, b);
}

/** True when the set has an element equal to `item`. */
export function includes(set: readonly RuntimeValue[], item: RuntimeValue): boolean {
  if (typeof item !== 'object') return set.includes(item);
  return set.some((member) => areEqual(member, item));
}

const maxLong = 2n ** 63n - 1n;
const minLong = -(2n ** 63n);

function toLong(result: bigint): number | bigint {
  if (result > maxLong || result < minLong) throw new EvaluationFault('integer overflow');
  const narrow = Number(result);
  return Number.isSafeInteger(narrow) ? narrow : result;
}

/** 64-bit addition, subtraction and multiplication: exact, or an `EvaluationFault` on overflow. */
export function calculate(op: '+' | '-' | '*', a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'number' && typeof b === 'number') {
    const quick = op === '+' ? a + b : op === '-' ? a - b : a * b;
    // A safe result is exact: rounding is monotone, and everything up to 2^53 is representable.
    if (Number.isSafeInteger(quick)) return quick;
  }
  const x = BigInt(a);
  const y = BigInt(b);
  return toLong(op === '+' ? x + y : op === '-' ? x - y : x * y);
}

/** 64-bit negation; the smallest integer has no opposite. */
export function negate(value: number | bigint): number | bigint {
  return typeof value === 'number' ? -value : toLong(-value);
}
