// Owns extension functions in the reference evaluator.

import type { ExtensionFunction } from './expr.ts';
import { isInRange, isLoopback, isMulticast } from './extensions.ts';
import { bool, need, ReferenceFault, type Tagged, tagExtension } from './reference-values.ts';

/** The value of an extension function over evaluated arguments. */
export function call(fn: ExtensionFunction, args: readonly Tagged[]): Tagged {
  const [a = bool(false), b = bool(false)] = args;
  const ip = (value: Tagged) => {
    const extension = need(value, 'Extension').value;
    if (extension.fn !== 'ip') throw new ReferenceFault('expected ip');
    return extension;
  };
  const decimal = (value: Tagged) => {
    const extension = need(value, 'Extension').value;
    if (extension.fn !== 'decimal') throw new ReferenceFault('expected decimal');
    return extension.scaled;
  };
  switch (fn) {
    case 'ip':
    case 'decimal':
      return tagExtension(fn, need(a, 'String').value);
    case 'isIpv4':
      return bool(ip(a).bits === 32);
    case 'isIpv6':
      return bool(ip(a).bits === 128);
    case 'isLoopback':
      return bool(isLoopback(ip(a)));
    case 'isMulticast':
      return bool(isMulticast(ip(a)));
    case 'isInRange':
      return bool(isInRange(ip(a), ip(b)));
    case 'lessThan':
      return bool(decimal(a) < decimal(b));
    case 'lessThanOrEqual':
      return bool(decimal(a) <= decimal(b));
    case 'greaterThan':
      return bool(decimal(a) > decimal(b));
    case 'greaterThanOrEqual':
      return bool(decimal(a) >= decimal(b));
  }
}
