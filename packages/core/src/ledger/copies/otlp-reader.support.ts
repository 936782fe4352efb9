// Owns a strict reader of a request to export logs for tests: the messages of OTLP 1.x in its JSON, and no other member.

import { isObject } from '../../json.ts';
import { parseJson } from '../../parse-json.ts';

type Form =
  | 'string'
  | 'bool'
  | 'uint32'
  /** `SeverityNumber`: enumerations are numbers in OTLP, never names. */
  | 'severity'
  /** 64-bit integers are decimal strings (proto3's JSON). */
  | 'int64'
  | 'fixed64'
  | 'double'
  | 'base64'
  /** Ids are hex in OTLP, where proto3's JSON has base64. */
  | 'hex16'
  | 'hex8'
  | keyof typeof messages;

/** Members in lowerCamelCase, as opentelemetry-proto has them; a list's form is in brackets. */
const messages = {
  Request: { resourceLogs: ['ResourceLogs'] },
  ResourceLogs: { resource: 'Resource', scopeLogs: ['ScopeLogs'], schemaUrl: 'string' },
  Resource: { attributes: ['KeyValue'], droppedAttributesCount: 'uint32' },
  ScopeLogs: { scope: 'Scope', logRecords: ['LogRecord'], schemaUrl: 'string' },
  Scope: { name: 'string', version: 'string', attributes: ['KeyValue'], droppedAttributesCount: 'uint32' },
  LogRecord: {
    timeUnixNano: 'fixed64',
    observedTimeUnixNano: 'fixed64',
    severityNumber: 'severity',
    severityText: 'string',
    body: 'AnyValue',
    attributes: ['KeyValue'],
    droppedAttributesCount: 'uint32',
    flags: 'uint32',
    traceId: 'hex16',
    spanId: 'hex8',
    eventName: 'string',
  },
  KeyValue: { key: 'string', value: 'AnyValue' },
  AnyValue: {
    stringValue: 'string',
    boolValue: 'bool',
    intValue: 'int64',
    doubleValue: 'double',
    arrayValue: 'ArrayValue',
    kvlistValue: 'KeyValueList',
    bytesValue: 'base64',
  },
  ArrayValue: { values: ['AnyValue'] },
  KeyValueList: { values: ['KeyValue'] },
} as const;

function isWithin(text: unknown, least: bigint, most: bigint): boolean {
  if (typeof text !== 'string' || !/^(?:0|-?[1-9]\d*)$/.test(text)) return false;
  return BigInt(text) >= least && BigInt(text) <= most;
}

/** Not all zero: that is the invalid id, which is left out. */
function isId(value: unknown, bytes: number): boolean {
  return typeof value === 'string' && value.length === bytes * 2 && /^(?!0*$)[0-9a-fA-F]*$/.test(value);
}

function isPlain(value: unknown, form: Exclude<Form, keyof typeof messages>): boolean {
  switch (form) {
    case 'string':
      return typeof value === 'string' && value.isWellFormed();
    case 'bool':
      return typeof value === 'boolean';
    case 'uint32':
      return Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 32;
    case 'severity':
      return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 24;
    case 'int64':
      return isWithin(value, -(2n ** 63n), 2n ** 63n - 1n);
    case 'fixed64':
      return isWithin(value, 0n, 2n ** 64n - 1n);
    case 'double':
      return typeof value === 'number';
    case 'base64':
      return typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
    case 'hex16':
      return isId(value, 16);
    case 'hex8':
      return isId(value, 8);
  }
}

function isMessage(form: Form): form is keyof typeof messages {
  return Object.hasOwn(messages, form);
}

function check(value: unknown, form: Form, path: string): void {
  if (!isMessage(form)) {
    if (!isPlain(value, form)) throw new TypeError(`${path} is no ${form}: ${JSON.stringify(value)}`);
    return;
  }
  if (!isObject(value)) throw new TypeError(`${path} is no ${form}`);
  const known = new Map<string, Form | readonly Form[]>(Object.entries(messages[form]));
  const members = Object.entries(value);
  if (form === 'AnyValue' && members.length !== 1) throw new TypeError(`${path} has not one value`);
  for (const [name, member] of members) {
    const inner = known.get(name);
    if (inner === undefined) throw new TypeError(`${path}.${name} is no member of ${form}`);
    if (typeof inner === 'string') check(member, inner, `${path}.${name}`);
    else if (Array.isArray(member))
      for (const one of member) check(one, inner[0] ?? 'string', `${path}.${name}[]`);
    else throw new TypeError(`${path}.${name} is no list`);
    if (name === 'attributes' && Array.isArray(member)) checkKeys(member, path);
  }
}

/** Keys of attributes are unique and not empty. */
function checkKeys(attributes: readonly unknown[], path: string): void {
  const keys = attributes.map((one) => (isObject(one) ? one.key : undefined));
  if (keys.includes('') || new Set(keys).size !== keys.length) throw new TypeError(`${path}: keys`);
}

/** Reads one line. Throws a TypeError that says where it is none of the protocol's. */
export function readOtlp(line: string): unknown {
  const request: unknown = parseJson(line);
  check(request, 'Request', '$');
  return request;
}
