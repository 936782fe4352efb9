// Owns the operators of compiled rules: each builds a closure from its operands' closures.

import { asEntity, asLong, asSet, asText, isIn, type Test, type ValueOf } from './closures.ts';
import type { BinaryOperator, ExtensionFunction } from './expr.ts';
import {
  type DecimalValue,
  type IpValue,
  isInRange,
  isLoopback,
  isMulticast,
  type ParsedExtension,
  parseExtension,
} from './extensions.ts';
import {
  areEqual,
  EvaluationFault,
  includes,
  isExtension,
  parsedExtension,
  type RuntimeValue,
  typeName,
} from './values.ts';

/** Operators that yield true or false. */
export type TestOperator = Exclude<BinaryOperator, '+' | '-' | '*' | 'getTag'>;

function inTest(left: ValueOf, right: ValueOf): Test {
  return (request) => isIn(request, asEntity(left(request)), right(request));
}

/** The test for a binary operator over two closures. Both operands are always evaluated, left first. */
export function binaryTest(op: TestOperator, left: ValueOf, right: ValueOf): Test {
  switch (op) {
    case '==':
      return (request) => areEqual(left(request), right(request));
    case '!=':
      return (request) => !areEqual(left(request), right(request));
    case '<':
      return (request) => asLong(left(request)) < asLong(right(request));
    case '<=':
      return (request) => asLong(left(request)) <= asLong(right(request));
    case '>':
      return (request) => asLong(left(request)) > asLong(right(request));
    case '>=':
      return (request) => asLong(left(request)) >= asLong(right(request));
    case 'in':
      return inTest(left, right);
    case 'contains':
      return (request) => includes(asSet(left(request)), right(request));
    case 'containsAll':
      return (request) => {
        const set = asSet(left(request));
        return asSet(right(request)).every((item) => includes(set, item));
      };
    case 'containsAny':
      return (request) => {
        const set = asSet(left(request));
        return asSet(right(request)).some((item) => includes(set, item));
      };
    case 'hasTag':
      return (request) => {
        asEntity(left(request));
        asText(right(request));
        return false;
      };
  }
}

/** `getTag`: none of our entities has tags, so a well-typed call finds none. */
export function getTagOf(left: ValueOf, right: ValueOf): ValueOf {
  return (request) => {
    asEntity(left(request));
    throw new EvaluationFault(`the tag \`${asText(right(request))}\` is absent`);
  };
}

function parsedOf(value: RuntimeValue, fn: 'ip' | 'decimal'): ParsedExtension {
  if (isExtension(value) && value.__extn.fn === fn) return parsedExtension(value);
  throw new EvaluationFault(`expected ${fn}, found ${typeName(value)}`);
}

function asIp(value: RuntimeValue): IpValue {
  const parsed = parsedOf(value, 'ip');
  if (parsed.fn === 'ip') return parsed;
  throw new EvaluationFault('expected ip');
}

function asDecimal(value: RuntimeValue): DecimalValue {
  const parsed = parsedOf(value, 'decimal');
  if (parsed.fn === 'decimal') return parsed;
  throw new EvaluationFault('expected decimal');
}

function makeExtension(fn: 'ip' | 'decimal', value: RuntimeValue): RuntimeValue {
  const arg = asText(value);
  const parsed = parseExtension(fn, arg);
  if (parsed === undefined) throw new EvaluationFault(`\`${arg}\` is not a valid ${fn}`);
  return { __extn: { fn, arg }, parsed };
}

/** Applies an extension function to evaluated arguments. */
export function applyExtension(fn: ExtensionFunction, a: RuntimeValue, b: RuntimeValue): RuntimeValue {
  switch (fn) {
    case 'ip':
    case 'decimal':
      return makeExtension(fn, a);
    case 'isIpv4':
      return asIp(a).bits === 32;
    case 'isIpv6':
      return asIp(a).bits === 128;
    case 'isLoopback':
      return isLoopback(asIp(a));
    case 'isMulticast':
      return isMulticast(asIp(a));
    case 'isInRange':
      return isInRange(asIp(a), asIp(b));
    case 'lessThan':
      return asDecimal(a).scaled < asDecimal(b).scaled;
    case 'lessThanOrEqual':
      return asDecimal(a).scaled <= asDecimal(b).scaled;
    case 'greaterThan':
      return asDecimal(a).scaled > asDecimal(b).scaled;
    case 'greaterThanOrEqual':
      return asDecimal(a).scaled >= asDecimal(b).scaled;
  }
}
