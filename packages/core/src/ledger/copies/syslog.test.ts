// Tests that the line of any entry is a message of RFC 5424 to a strict reader, which finds every value as it was.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readSyslog } from '../../syslog-reader.support.ts';
import type { Entry } from '../entry.ts';
import { anyEntry } from './any-entry.support.ts';
import { copied, sampleEntries } from './sample-entries.support.ts';
import { syslogCopy } from './syslog.ts';

const encoder = new TextEncoder();
const any = fc.oneof(anyEntry, fc.constantFrom(...sampleEntries));
/** Names as they come, and as somebody would choose them who wants to be misread. */
const hostile = [
  'openai/gpt-4o:extended',
  'meta-llama/Llama-3.1 "8B" [instruct]',
  'C:\\models\\',
  '\\',
  '\\"',
  '"] [entry@32473 index="0',
  '\\n',
  'a\nb\0c',
  '\u202eevil\u2066',
  '😀',
  '\ufeff',
  '\ud83d',
  'é'.repeat(256),
];

function read(entry: Entry) {
  const one = copied(entry);
  return { one, message: readSyslog(encoder.encode(syslogCopy(one))) };
}

const shown = (text: string): string => text.toWellFormed().replace(/[\p{Cc}\u2028\u2029]/gu, ' ');

test('any entry is a message whose text is the entry, and whose time is the entry’s or none', () => {
  fc.assert(
    fc.property(any, (entry) => {
      const { one, message } = read(entry);
      assert.ok(message.isMarked);
      assert.equal(message.text, one.text);
      assert.equal(message.facility, 13);
      assert.deepEqual([message.app, message.kind], ['countersign', entry.type]);
      assert.ok(message.timestamp === undefined || message.timestamp === entry.ts);
      const [element, ...more] = message.data;
      assert.deepEqual([element?.id, more], ['entry@32473', []]);
      const names = element?.params.map(([name]) => name) ?? [];
      assert.equal(new Set(names).size, names.length);
    }),
  );
});

test('a value is read back as it was, whatever it ends in or begins', () => {
  for (const name of hostile) {
    for (const entry of sampleEntries) {
      const target = { provider: name, model: name, resource: name };
      const named = { ...entry, log: name, actor: { ...entry.actor, id: name } };
      const { message } = read('target' in named ? { ...named, target } : named);
      const params = new Map(message.data[0]?.params);
      for (const [key, value] of params)
        if (['log', 'actor', 'provider', 'model', 'resource'].includes(key)) assert.equal(value, shown(name));
      assert.equal(params.get('actor'), shown(name));
    }
  }
});

test('a moment that there is not has no time, and one that there is has its own', () => {
  const [entry] = sampleEntries;
  const timeOf = (ts: string) => read({ ...(entry ?? assert.fail()), ts }).message.timestamp;
  for (const ts of ['2026-02-30T12:00:00.000Z', '2026-11-22T24:00:00.000Z', '2026-11-22T23:59:60.000Z'])
    assert.equal(timeOf(ts), undefined);
  for (const ts of ['2024-02-29T23:59:59.999Z', '9999-12-31T00:00:00.000Z']) assert.equal(timeOf(ts), ts);
});
