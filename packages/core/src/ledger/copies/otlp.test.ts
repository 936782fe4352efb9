// Tests that an entry is one log record of OTLP in proto3's JSON: 64-bit integers are strings, and nothing is null.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isObject } from '../../json.ts';
import type { Entry } from '../entry.ts';
import { anyEntry } from './any-entry.support.ts';
import { otlpCopy } from './otlp.ts';
import { readOtlp } from './otlp-reader.support.ts';
import { copied, sampleEntries } from './sample-entries.support.ts';

type Members = { readonly [name: string]: unknown };

function objectAt(value: unknown, ...path: readonly string[]): Members {
  const found = path.reduce<unknown>((inner, name) => {
    const member = isObject(inner) ? inner[name] : undefined;
    return Array.isArray(member) ? member[0] : member;
  }, value);
  return isObject(found) ? found : assert.fail(path.join('.'));
}

function attributesOf(list: unknown): ReadonlyMap<string, unknown> {
  assert.ok(Array.isArray(list));
  const found = new Map<string, unknown>();
  for (const one of list) {
    const { key, value } = objectAt(one);
    found.set(String(key), Object.values(objectAt(value))[0]);
  }
  return found;
}

function recordOf(entry: Entry): {
  readonly record: Members;
  readonly attributes: ReadonlyMap<string, unknown>;
} {
  const request = readOtlp(otlpCopy(copied(entry)));
  const record = objectAt(request, 'resourceLogs', 'scopeLogs', 'logRecords');
  const resource = attributesOf(objectAt(request, 'resourceLogs', 'resource').attributes);
  assert.equal(resource.get('service.name'), 'countersign');
  return { record, attributes: attributesOf(record.attributes) };
}

test('any entry is a request of the protocol to a strict reader, with the entry’s time or none', () => {
  fc.assert(
    fc.property(fc.oneof(anyEntry, fc.constantFrom(...sampleEntries)), (entry) => {
      const { record } = recordOf(entry);
      assert.ok([9, 13, 17, 20].includes(Number(record.severityNumber)));
      const time = Number(BigInt(String(record.timeUnixNano)) / 1_000_000n);
      if (time !== 0) assert.equal(new Date(time).toISOString(), entry.ts);
    }),
  );
});

test('a time that is later than nanoseconds in 64 bits can say is none', () => {
  const [entry] = sampleEntries;
  const timeOf = (ts: string) => recordOf({ ...(entry ?? assert.fail()), ts }).record.timeUnixNano;
  assert.equal(timeOf('2554-07-21T23:34:33.709Z'), '18446744073709000000');
  for (const ts of ['2554-07-21T23:34:33.710Z', '9999-12-31T23:59:59.999Z', '2026-02-30T12:00:00.000Z'])
    assert.equal(timeOf(ts), '0');
});

test('the strict reader refuses what the protocol’s JSON has not', () => {
  const line = (record: object) =>
    JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] });
  readOtlp(line({ severityNumber: 9, flags: 1, body: { intValue: '-1' }, spanId: 'ab'.repeat(8) }));
  for (const record of [
    { time_unix_nano: '0' },
    { timeUnixNano: 0 },
    { timeUnixNano: '18446744073709551616' },
    { severityNumber: 'SEVERITY_NUMBER_INFO' },
    { severityNumber: 25 },
    { body: { intValue: 1 } },
    { body: { intValue: '9223372036854775808' } },
    { body: { stringValue: 'a', intValue: '1' } },
    { body: null },
    { traceId: 'q8q8q8q8q8q8q8q8q8q8qw==' },
    { traceId: '0'.repeat(32) },
    { attributes: { key: 'a', value: { stringValue: 'b' } } },
    { attributes: [1, 2].map(() => ({ key: 'a', value: { stringValue: 'b' } })) },
  ])
    assert.throws(() => readOtlp(line(record)), TypeError, JSON.stringify(record));
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
