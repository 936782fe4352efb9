// Owns turning a body's bytes into one JSON object that has only one reading, or into the refusal to guess.

import { isObject } from '../json.ts';
import { parseJson } from '../parse-json.ts';
import { scanJson } from './json-scan.ts';
import type { ParseDeps, Refusal, TopLevelMarks } from './request-types.ts';

export type JsonBody = {
  readonly kind: 'body';
  readonly root: { readonly [key: string]: unknown };
  readonly marks: TopLevelMarks;
};

export function refuse(message: string): Refusal {
  return { kind: 'refusal', code: 'invalid_request', message };
}

/**
 * Members of all objects in a parsed value, or -1 when one is called `__proto__`. INVARIANT: parsing
 * keeps one member of those that share a name, however it is spelled, so a body without repeats has as many
 * members after parsing as it has colons outside strings before.
 */
export function countMembers(value: object): number {
  let total = 0;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    for (const item of items) {
      if (typeof item !== 'object' || item === null) continue;
      const inner = countMembers(item);
      if (inner < 0) return -1;
      total += inner;
    }
    return total;
  }
  if (!isObject(value)) return total;
  for (const key in value) {
    if (key === '__proto__') return -1;
    total += 1;
    const item = value[key];
    if (typeof item !== 'object' || item === null) continue;
    const inner = countMembers(item);
    if (inner < 0) return -1;
    total += inner;
  }
  return total;
}

function parseText(bytes: Uint8Array, deps: ParseDeps, hasEscapedName: boolean): unknown {
  try {
    return parseJson(deps.decodeUtf8(bytes), hasEscapedName);
  } catch {
    return undefined;
  }
}

/**
 * Parses a JSON object under bounds. Refused: more bytes, depth or values than the limits; a byte order mark,
 * invalid UTF-8 or JSON; a key that repeats in any object, in any spelling; `__proto__`; a root that is not an
 * object. The same bytes can then be sent on: no parser that follows RFC 8259 reads them differently.
 */
export function readJsonBody(bytes: Uint8Array, deps: ParseDeps): JsonBody | Refusal {
  const { limits } = deps;
  if (bytes.length > limits.maxBytes) {
    return {
      kind: 'refusal',
      code: 'payload_too_large',
      message: `the body is larger than ${limits.maxBytes} bytes; send a smaller one`,
    };
  }
  if (bytes.length === 0) return refuse('the body is empty; send a JSON object');
  // A byte order mark is not JSON (RFC 8259 section 8.1), and decoders differ in keeping it.
  if (bytes[0] === 0xef) return refuse('the body starts with a byte order mark; send it without');
  const scan = scanJson(bytes, limits.maxDepth, limits.maxNodes, limits.shape);
  if (scan.kind === 'too_deep') {
    return refuse(`the body nests deeper than ${limits.maxDepth} levels; flatten it`);
  }
  if (scan.kind === 'too_many_values') {
    return refuse(`the body holds more than ${limits.maxNodes} values; split the request`);
  }
  if (scan.kind === 'too_many_strings') {
    return refuse(
      `the body holds more than ${limits.shape?.maxStrings} strings, lists and objects; split the request`,
    );
  }
  if (scan.kind === 'too_many_members') {
    return refuse(
      `an object of the body has more than ${limits.shape?.maxMembers} members, or its top more than ${limits.shape?.maxTopMembers}`,
    );
  }
  if (scan.kind === 'unclosed') return refuse('the body is not valid JSON: a string is not closed');
  const root = parseText(bytes, deps, scan.hasEscapedName);
  if (!isObject(root)) return refuse('the body is not a JSON object in UTF-8; check its encoding and syntax');
  const members = countMembers(root);
  if (members < 0) return refuse('the body has a key `__proto__`; remove it');
  if (members !== scan.keys) {
    return refuse('the body has an object with a repeated key; name each key once');
  }
  return { kind: 'body', root, marks: { offsets: scan.marks, closeBrace: scan.closeBrace } };
}
