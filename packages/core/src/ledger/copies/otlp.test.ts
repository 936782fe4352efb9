// Tests that an entry is one log record of OTLP in proto3's JSON: 64-bit integers are strings, and nothing is null.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isObject } from '../../json.ts';
import type { Entry } from '../entry.ts';
import { anyEntry } from './any-entry.support.ts';
import { otlpCopy } from './otlp.ts';
import { copied, sampleEntries } from './sample-entries.support.ts';

type Members = { readonly [name: string]: unknown };

function objectAt(value: unknown, ...path: readonly string[]): Members {
  const found = path.reduce<unknown>((inner, name) => {
    const member = isObject(inner) ? inner[name] : undefined;
    return Array.isArray(member) ? member[0] : member;
  }, value);
  return isObject(found) ? found : assert.fail(path.join('.'));
}

/** The names that each message may have, as the protocol's files list them in lowerCamelCase. */
const recordNames = [
  'timeUnixNano',
  'observedTimeUnixNano',
  'severityNumber',
  'severityText',
  'eventName',
  'body',
  'attributes',
  'traceId',
];

function attributesOf(list: unknown): ReadonlyMap<string, unknown> {
  assert.ok(Array.isArray(list));
  const found = new Map<string, unknown>();
  for (const one of list) {
    const { key, value } = objectAt(one);
    assert.ok(typeof key === 'string' && !found.has(key), `${key} is there twice`);
    const [[kind, inner] = [], ...more] = Object.entries(objectAt(value));
    assert.equal(more.length, 0);
    if (kind === 'intValue') assert.match(String(inner), /^\d{1,19}$/);
    else if (kind === 'arrayValue') assert.ok(Array.isArray(objectAt(inner).values));
    else assert.equal(kind, 'stringValue');
    if (kind !== 'arrayValue') assert.equal(typeof inner, 'string');
    found.set(key, inner);
  }
  return found;
}

function recordOf(entry: Entry): {
  readonly record: Members;
  readonly attributes: ReadonlyMap<string, unknown>;
} {
  const request: unknown = JSON.parse(otlpCopy(copied(entry)));
  const record = objectAt(request, 'resourceLogs', 'scopeLogs', 'logRecords');
  assert.ok(Object.keys(record).every((name) => recordNames.includes(name)));
  const resource = attributesOf(objectAt(request, 'resourceLogs', 'resource').attributes);
  assert.equal(resource.get('service.name'), 'countersign');
  return { record, attributes: attributesOf(record.attributes) };
}

test('any entry is a record whose times, severity and attributes have the forms of the protocol', () => {
  fc.assert(
    fc.property(fc.oneof(anyEntry, fc.constantFrom(...sampleEntries)), (entry) => {
      const { record } = recordOf(entry);
      assert.match(String(record.timeUnixNano), /^(?:0|\d+000000)$/);
      assert.equal(typeof record.timeUnixNano, 'string');
      assert.ok([9, 13, 17, 20].includes(Number(record.severityNumber)));
      if (record.traceId !== undefined) assert.match(String(record.traceId), /^[0-9a-fA-F]{32}$/);
    }),
  );
});

test('an outcome carries the model, the tokens and the trace under their conventional names', () => {
  const outcome = sampleEntries.find((entry) => 'usage' in entry && 'ms' in entry) ?? assert.fail();
  const { record, attributes } = recordOf(outcome);
  assert.equal(record.timeUnixNano, '1795318539123000000');
  assert.equal(record.traceId, '0af7651916cd43dd8448eb211c80319c');
  const genAi = [...attributes].filter(([key]) => key.startsWith('gen_ai.'));
  assert.deepEqual(Object.fromEntries(genAi), {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'sandbox',
    'gen_ai.request.model': 'echo',
    'gen_ai.response.model': 'echo-1',
    'gen_ai.usage.input_tokens': '17',
    'gen_ai.usage.output_tokens': '10',
    'gen_ai.usage.cache_read.input_tokens': '5',
    'gen_ai.usage.cache_creation.input_tokens': '2',
    'gen_ai.usage.reasoning.output_tokens': '3',
  });
  assert.equal(attributes.get('user.id'), 'usr_1');
});

test('a trace id that is none of the protocol stays in the body alone', () => {
  const call = sampleEntries[0] ?? assert.fail();
  for (const trace of ['0'.repeat(32), 'my-trace', 'ab'.repeat(17)])
    assert.equal(recordOf({ ...call, trace }).record.traceId, undefined);
});
